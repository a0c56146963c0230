// Puts the samples of a request through a layer, one after the other, and prints a line for each: bits, then sums.

module bench;
    parameter N = 64, M = 4, B = 1;
    parameter [3:0] GATE = 9;
    reg [N-1:0] x [0:B-1], known [0:B-1], w [0:M-1];
    reg [31:0] tau [0:M-1];
    reg [N-1:0] x_now, known_now;
    reg [M*N-1:0] all_w;
    reg [M*32-1:0] all_tau;
    wire signed [M*32-1:0] sums;
    wire [M-1:0] values;
    integer b, j;

    boolean_layer #(.N(N), .M(M)) layer (
        .gate(GATE), .x(x_now), .known(known_now), .w(all_w), .tau(all_tau), .sums(sums), .values(values)
    );

    initial begin
        $readmemb("x", x);
        $readmemb("known", known);
        $readmemb("w", w);
        $readmemh("tau", tau);
        for (j = 0; j < M; j = j + 1) begin
            all_w[j*N +: N] = w[j];
            all_tau[j*32 +: 32] = tau[j];
        end
        for (b = 0; b < B; b = b + 1) begin
            x_now = x[b];
            known_now = known[b];
            #1;
            $write("%b", values);
            for (j = 0; j < M; j = j + 1) $write(" %0d", $signed(sums[j*32 +: 32]));
            $write("\n");
        end
        $finish(0);
    end
endmodule
