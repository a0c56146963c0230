// A Boolean layer in hardware: sums of a gate over the inputs of each neuron, and whether they reach its threshold.
// A missing input, whose bit of `known` is 0, adds nothing.  The gate is its number: L(F,F), L(F,T), L(T,F), L(T,T).

module boolean_neuron #(parameter N = 64) (
    input [3:0] gate,
    input [N-1:0] x,
    input [N-1:0] known,
    input [N-1:0] w,
    input signed [31:0] tau,
    output reg signed [31:0] sum,
    output value
);
    integer i;
    always @* begin
        sum = 0;
        for (i = 0; i < N; i = i + 1)
            if (known[i]) sum = gate[3 - {w[i], x[i]}] ? sum + 1 : sum - 1;
    end
    assign value = sum >= tau;  // a tie is T
endmodule

module boolean_layer #(parameter N = 64, parameter M = 4) (
    input [3:0] gate,
    input [N-1:0] x,
    input [N-1:0] known,
    input [M*N-1:0] w,
    input [M*32-1:0] tau,
    output [M*32-1:0] sums,
    output [M-1:0] values
);
    genvar j;
    generate
        for (j = 0; j < M; j = j + 1) begin : neuron
            boolean_neuron #(.N(N)) one (
                .gate(gate), .x(x), .known(known), .w(w[j*N +: N]), .tau(tau[j*32 +: 32]),
                .sum(sums[j*32 +: 32]), .value(values[j])
            );
        end
    endgenerate
endmodule
