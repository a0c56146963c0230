// A port of Boolean variation in JavaScript for Node, without packages: a template, in the order of the levels.
//
// Bits are arrays of 0 and 1, values of M arrays of -1, 0 and 1.  All sums stay below 2**53, where doubles are exact;
// what may go beyond is a BigInt.  Words of 64 bits are two unsigned numbers of 32.

"use strict";

const crypto = require("node:crypto");
const readline = require("node:readline");

const SIGNAL_MAX = 127;
const GATE_SIGNAL_MAX = 32767;
const FULL_WEIGHT = 65536;

// ---------------------------------------------------------------------------------- what stands on the wire

const range = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (values) => values.reduce((total, v) => total + v, 0);
const clamp = (v, limit) => Math.max(-limit, Math.min(limit, v));

const readLogic = (row) => Array.from(row, (c) => (c === "1" ? 1 : c === "0" ? -1 : 0));
const readBits = (row) => Array.from(row, Number);
const writeBits = (bits) => bits.join("");
const writeLogic = (values) => values.map((v) => "0u1"[v + 1]).join("");
const signs = (bits) => bits.map((b) => 2 * b - 1);

const view = new DataView(new ArrayBuffer(8));

function readFloat64(text) {
  view.setBigUint64(0, BigInt("0x" + text));
  return view.getFloat64(0);
}

// ------------------------------------------------------------------------------ level 0: logic and variation

function gateValue(gate, a, b) {
  if (a === 0 || b === 0) return 0;
  return (gate >> (3 - 2 * (a > 0) - (b > 0))) & 1 ? 1 : -1;
}

function connective({ gate, a, b }) {
  const right = readLogic(b);
  return writeLogic(readLogic(a).map((v, i) => gateValue(gate, v, right[i])));
}

const project = ({ x }) => writeLogic(x.map(Math.sign));

function mixed({ gate, a, x }) {
  return readLogic(a).map((v, i) => gateValue(gate, v, Math.sign(x[i])) * Math.abs(x[i]));
}

const delta = ({ a, b }) => writeLogic(readBits(a).map((v, i) => Number(b[i]) - v));

function variations({ table, n_inputs }) {
  const values = readBits(table);
  const change = (point, bit) => values[point | bit] - values[point & ~bit];
  return range(n_inputs).map((i) => writeLogic(values.map((_, point) => change(point, 1 << i))));
}

// -------------------------------------------------------------------------------------------- level 1: gates

const gate_table = ({ gate }) => gate.toString(2).padStart(4, "0");

const variationInWeight = (gate, x) => (gateValue(gate, 1, x) - gateValue(gate, -1, x)) / 2;
const variationInInput = (gate, w) => (gateValue(gate, w, 1) - gateValue(gate, w, -1)) / 2;

function gate_variations({ gate }) {
  return [variationInWeight, variationInInput].map((change) => writeLogic([change(gate, -1), change(gate, 1)]));
}

// The entry that a gate looks at: the first wire is the least significant bit.
const address = (x, wires) => sum(wires.map((unit, i) => x[unit] << i));

const lookUp = (x, wires, tables) => wires.map((w, g) => tables[g][address(x, w)]);

function table_values({ x, wires, tables }) {
  const entries = tables.map(readBits);
  return x.map((row) => writeBits(lookUp(readBits(row), wires, entries)));
}

// --------------------------------------------------------------------------------------------- level 2: bits

const hex32 = (bits) => range(8).map((k) => parseInt(bits.slice(4 * k, 4 * k + 4), 2).toString(16)).join("");

// Sixty-four bits a word, bit 0 the least significant, zero beyond the row.
function toWords(bits) {
  const full = [...bits, ...Array((64 - (bits.length % 64)) % 64).fill(0)];
  return range(full.length / 64).map((k) => {
    const binary = full.slice(64 * k, 64 * k + 64).reverse().join("");
    return hex32(binary.slice(0, 32)) + hex32(binary.slice(32));
  });
}

// What lies beyond the row is no part of it.
function fromWords(words, nBits) {
  return range(nBits).map((i) => {
    const digit = words[Math.floor(i / 64)][15 - Math.floor((i % 64) / 4)];
    return (parseInt(digit, 16) >> (i % 4)) & 1;
  });
}

function pack({ rows }) {
  const plane = (chosen) => rows.map((row) => toWords(Array.from(row, (c) => Number(chosen.includes(c)))));
  return [plane("1"), plane("01")];
}

const unpack = ({ words, n_bits }) => words.map((row) => writeBits(fromWords(row, n_bits)));
const negate = ({ words, n_bits }) => words.map((row) => toWords(fromWords(row, n_bits).map((b) => 1 - b)));
const transpose = ({ rows, n_bits }) => range(n_bits).map((i) => rows.map((row) => row[i]).join(""));
const count_rows = ({ rows }) => rows.map((row) => Array.from(row).filter((c) => c === "1").length);

// ---------------------------------------------------------------------------------- level 3: sums and tables

// T counts +1, F counts -1, what is missing counts nothing.
function sumsOf(gate, x, w) {
  const value = [-1, 0, 1].map((a) => [-1, 0, 1].map((b) => gateValue(gate, a, b)));
  return x.map((u) => w.map((v) => u.reduce((total, b, i) => total + value[v[i] + 1][b + 1], 0)));
}

const gate_sum = ({ gate, x, w }) => sumsOf(gate, x.map(readLogic), w.map(readLogic));

const compare = (sums, tau) => sums.map((s, j) => Number(s >= tau[j])); // a tie is T

const gate_bits = ({ gate, x, w, tau }) => gate_sum({ gate, x, w }).map((row) => writeBits(compare(row, tau)));

// For each place of a window the first value of the pixel of each tap, or null outside of the image.
function placesOf({ image_shape, size, stride, padding, dilation }) {
  const [height, width, channels] = image_shape;
  const count = (axis) =>
    Math.floor((image_shape[axis] + 2 * padding[axis] - (size[axis] - 1) * dilation[axis] - 1) / stride[axis]) + 1;
  const at = (axis, place, tap) => place * stride[axis] - padding[axis] + tap * dilation[axis];
  const places = [];
  for (const i of range(count(0))) {
    for (const j of range(count(1))) {
      const taps = [];
      for (const a of range(size[0])) {
        for (const b of range(size[1])) {
          const [y, x] = [at(0, i, a), at(1, j, b)];
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          taps.push(inside ? (y * width + x) * channels : null);
        }
      }
      places.push(taps);
    }
  }
  return places;
}

// What each place sees: missing outside, or F if that is the padding.
function patchesOf(image, window, paddingValue) {
  const channels = range(window.image_shape[2]);
  return placesOf(window).map((taps) =>
    taps.flatMap((start) => channels.map((c) => (start === null ? paddingValue : image[start + c]))),
  );
}

function conv_sum({ gate, images, weights, window, padding_value }) {
  const w = weights.map(readLogic);
  return images.map((row) => sumsOf(gate, patchesOf(readLogic(row), window, padding_value), w).flat());
}

// For each square and channel the places of its values, row by row.
function squaresOf([height, width, channels], size) {
  const squares = [];
  for (const y of range(Math.floor(height / size))) {
    for (const x of range(Math.floor(width / size))) {
      for (const c of range(channels)) {
        const at = (tap) => (y * size + Math.floor(tap / size)) * width + x * size + (tap % size);
        squares.push(range(size * size).map((tap) => at(tap) * channels + c));
      }
    }
  }
  return squares;
}

function poolOne(sums, squares) {
  const values = squares.map((square) => square.map((i) => sums[i]));
  const best = values.map((v) => Math.max(...v));
  return { best, winner: values.map((v, i) => v.indexOf(best[i])) }; // the first of equals
}

function max_pool({ sums, image_shape, size }) {
  const squares = squaresOf(image_shape, size);
  const found = sums.map((row) => poolOne(row, squares));
  return { best: found.map((f) => f.best), winner: found.map((f) => f.winner) };
}

const inTurn = (nGates, fanIn) => range(nGates).map((g) => range(fanIn).map((i) => g * fanIn + i));

// Wires and tables of each level, from the leaves to the root: above the leaves gates read those below in turn.
function readTrees(wires, tables) {
  return tables.map((rows, level) => ({ wires: level ? inTurn(rows.length, wires[0].length) : wires, tables: rows }));
}

// What each level reads, at each place of each image, and at last what the roots answer; outside is F.
function climbTrees(trees, images, window) {
  const rows = [images.flatMap((image) => patchesOf(image, window, 0))];
  for (const { wires, tables } of trees) rows.push(rows.at(-1).map((x) => lookUp(x, wires, tables)));
  return rows;
}

function tree_values({ images, wires, tables, window }) {
  const rows = climbTrees(readTrees(wires, tables.map((level) => level.map(readBits))), images.map(readBits), window);
  return cut(rows.at(-1), placesOf(window).length).map((places) => writeBits(places.flat()));
}

const anyOf = (bits, squares) => squares.map((square) => Number(square.some((i) => bits[i])));

function or_pool({ x, image_shape, size }) {
  return x.map((row) => writeBits(anyOf(readBits(row), squaresOf(image_shape, size))));
}

function groupScores(bits, nGroups) {
  const size = bits.length / nGroups;
  return range(nGroups).map((c) => 2 * sum(bits.slice(c * size, (c + 1) * size)) - size);
}

const group_sum = ({ x, n_groups }) => x.map((row) => groupScores(readBits(row), n_groups));

// Halves away from zero, kept within +-127.  Products may need 62 bits.
function roundAway(a, b, denominator) {
  const product = BigInt(a) * BigInt(b);
  const size = ((product < 0n ? -product : product) * 2n + denominator) / (2n * denominator);
  const kept = size > 127n ? SIGNAL_MAX : Number(size);
  return product < 0n ? -kept : kept; // JSON writes -0 as 0
}

function rescale({ g, s, tau, table, shift }) {
  const weight = (distance) => table[Math.min(Math.abs(distance), table.length - 1)];
  const denominator = 1n << BigInt(shift);
  return g.map((row, b) => row.map((v, j) => roundAway(v, weight(s[b][j] - tau[j]), denominator)));
}

function roundEven(x) {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

// Entries have about twenty bits, so doubles leave thirty to round by.
function untilZero(entry) {
  const table = [];
  do table.push(roundEven(2 ** 20 * entry(table.length)));
  while (table.at(-1) !== 0);
  return table;
}

function loss_table({ fan_in, temperature }) {
  const scale = readFloat64(temperature) * Math.sqrt(fan_in);
  return untilZero((d) => Math.exp(-d / scale));
}

function threshold_table({ fan_in, fan_out, gate, next_gate }) {
  const mean = sum([-1, 1].flatMap((a) => [-1, 1].map((b) => gateValue(gate, a, b)))) / 4;
  const share = sum([-1, 1].map((w) => Math.abs(variationInInput(next_gate, w)))) / 2;
  const alpha = Math.PI / (2 * Math.sqrt(3 * fan_in * (1 - mean * mean)));
  const scale = Math.sqrt(2 / (fan_out * share));
  return untilZero((d) => {
    const step = Math.exp(-2 * alpha * d);
    return (scale * 4 * step) / (1 + step) ** 2;
  });
}

function cross_entropy({ scores, y, table }) {
  return scores.map((row, b) => {
    const best = Math.max(...row);
    const weights = row.map((s) => table[Math.min(best - s, table.length - 1)]);
    const total = sum(weights);
    const share = (v) => Math.floor((2 * SIGNAL_MAX * v + total) / (2 * total));
    return weights.map((v, j) => share(v) - (j === y[b] ? SIGNAL_MAX : 0));
  });
}

function squared_error({ scores, y, scale }) {
  return scores.map((row, b) => row.map((s, j) => roundAway(SIGNAL_MAX, s - y[b][j], BigInt(scale))));
}

// -------------------------------------------------------------------------------------------- level 4: votes

const zeros = (rows, columns) => range(rows).map(() => Array(columns).fill(0));

function votesOnWeights(gate, z, x, nOutputs, nInputs) {
  const q = zeros(nOutputs, nInputs);
  x.forEach((row, b) => {
    row.forEach((value, i) => {
      const change = variationInWeight(gate, value);
      if (change !== 0) for (let j = 0; j < nOutputs; j++) q[j][i] += change * z[b][j];
    });
  });
  return q;
}

function weight_votes({ gate, z, x, n_outputs, n_inputs }) {
  return votesOnWeights(gate, z, x.map(readLogic), n_outputs, n_inputs);
}

function votesOnInputs(gate, z, w) {
  const changes = w.map((row) => row.map((v) => variationInInput(gate, v)));
  return z.map((signals) => range(w[0].length).map((i) => sum(signals.map((s, j) => s * changes[j][i]))));
}

const input_votes = ({ gate, z, w }) => votesOnInputs(gate, z, w.map(readLogic));

// Both roundings with halves up, the mean in steps of 1 / 2**15; the product may need more than 53 bits.
function center_votes({ q, signal_sums, input_sums, n_samples }) {
  const means = input_sums.map((x) => Math.floor((x * 2 ** 16 + n_samples) / (2 * n_samples)));
  const share = (total, mean) => Number((BigInt(total) * BigInt(mean) + 16384n) >> 15n);
  return q.map((row, j) => row.map((v, i) => v - share(signal_sums[j], means[i])));
}

function cut(row, size) {
  return range(row.length / size).map((k) => row.slice(k * size, (k + 1) * size));
}

function conv_weight_votes({ gate, z, images, n_filters, window, padding_value }) {
  const patches = images.flatMap((row) => patchesOf(readLogic(row), window, padding_value));
  const nInputs = window.size[0] * window.size[1] * window.image_shape[2];
  return votesOnWeights(gate, z.flatMap((row) => cut(row, n_filters)), patches, n_filters, nInputs);
}

// Votes on what each place sees go to the pixels that it is.
function addToPixels(patches, window) {
  const [height, width, channels] = window.image_shape;
  const image = Array(height * width * channels).fill(0);
  placesOf(window).forEach((place, i) => {
    place.forEach((start, tap) => {
      if (start !== null) for (let c = 0; c < channels; c++) image[start + c] += patches[i][tap * channels + c];
    });
  });
  return image;
}

function votesOnPixels(gate, z, w, window) {
  return z.map((row) => addToPixels(votesOnInputs(gate, cut(row, w.length), w), window));
}

const pixel_votes = ({ gate, z, weights, window }) => votesOnPixels(gate, z, weights.map(readLogic), window);

function pool_back({ z, winner, image_shape, size }) {
  const squares = squaresOf(image_shape, size);
  return z.map((row, b) => {
    const out = Array(image_shape[0] * image_shape[1] * image_shape[2]).fill(0);
    row.forEach((signal, i) => (out[squares[i][winner[b][i]]] = signal));
    return out;
  });
}

function votesOnTables(z, x, wires) {
  const votes = wires.map((w) => Array(1 << w.length).fill(0));
  x.forEach((row, b) => wires.forEach((w, g) => (votes[g][address(row, w)] += z[b][g])));
  return votes;
}

const table_votes = ({ z, x, wires }) => votesOnTables(z, x.map(readBits), wires);

function votesOnUnits(z, x, wires, tables) {
  return x.map((row, b) => {
    const votes = Array(row.length).fill(0);
    wires.forEach((w, g) => {
      const at = address(row, w);
      w.forEach((unit, i) => {
        votes[unit] += z[b][g] * (tables[g][at | (1 << i)] - tables[g][at & ~(1 << i)]);
      });
    });
    return votes.map((v) => clamp(v, GATE_SIGNAL_MAX)); // cut when the sum is complete
  });
}

const wire_votes = ({ z, x, wires, tables }) => votesOnUnits(z, x.map(readBits), wires, tables.map(readBits));

// A row for each wire: what the answers would change by if it alone read another unit.
function votesOnCandidates(z, x, wires, tables, candidates) {
  const change = (row, g, i, unit) => {
    const at = address(row, wires[g]);
    return tables[g][(at & ~(1 << i)) | (row[unit] << i)] - tables[g][at];
  };
  const vote = (g, i, unit) => sum(x.map((row, b) => z[b][g] * change(row, g, i, unit)));
  return candidates.flatMap((gate, g) => gate.map((units, i) => units.map((unit) => vote(g, i, unit))));
}

const candidate_votes = ({ z, x, wires, tables, candidates }) =>
  votesOnCandidates(z, x.map(readBits), wires, tables.map(readBits), candidates);

// What each sample would gain by an entry, over the square of its looks, in units of 1/64, halves up.
function votesByLooks(z, x, wires, nPlaces) {
  const total = wires.map((w) => Array(1 << w.length).fill(0));
  const images = cut(x, nPlaces);
  cut(z, nPlaces).forEach((signals, b) => {
    const gains = votesOnTables(signals, images[b], wires);
    const looks = votesOnTables(signals.map((row) => row.map(() => 1)), images[b], wires);
    looks.forEach((row, g) =>
      row.forEach((n, a) => {
        if (n) total[g][a] += Math.floor((128 * gains[g][a] + n * n) / (2 * n * n));
      }),
    );
  });
  return total;
}

// Votes on the tables of each level, and on what each place sees, cut: each gate of a tree is read once.
function descendTrees(z, trees, rows, nPlaces) {
  let signals = z.flatMap((row) => cut(row, trees.at(-1).tables.length));
  const votes = [];
  for (let level = trees.length - 1; level >= 0; level--) {
    const { wires, tables } = trees[level];
    votes.unshift(votesByLooks(signals, rows[level], wires, nPlaces));
    signals = votesOnUnits(signals, rows[level], wires, tables);
  }
  return { votes, patches: signals };
}

// Sums over the windows that see a pixel, cut as well.
function fromWindows(patches, window) {
  const images = cut(patches, placesOf(window).length);
  return images.map((image) => addToPixels(image, window).map((v) => clamp(v, GATE_SIGNAL_MAX)));
}

function votesOfTrees({ z, images, wires, tables, window }) {
  const trees = readTrees(wires, tables.map((level) => level.map(readBits)));
  const rows = climbTrees(trees, images.map(readBits), window);
  return descendTrees(z, trees, rows, placesOf(window).length);
}

const tree_table_votes = (given) => votesOfTrees(given).votes;
const tree_pixel_votes = (given) => fromWindows(votesOfTrees(given).patches, given.window);

// A signal goes to the pixels of its square all of whose others are F.
function toTheOnly(z, bits, imageShape, size) {
  const out = Array(imageShape[0] * imageShape[1] * imageShape[2]).fill(0);
  squaresOf(imageShape, size).forEach((square, i) => {
    const nTrue = sum(square.map((at) => bits[at]));
    for (const at of square) out[at] = nTrue === bits[at] ? z[i] : 0;
  });
  return out;
}

const or_pool_back = ({ z, x, image_shape, size }) =>
  z.map((row, b) => toTheOnly(row, readBits(x[b]), image_shape, size));

function scale_signals({ g, fan_out }) {
  const root = Math.floor(Math.sqrt(Math.floor(2 ** 43 / fan_out))); // exact: below 2**52
  const k = Math.floor((root + 1) / 2); // round(2**20 * sqrt(2 / fan_out)); products stay below 2**53
  const size = (v) => Math.min(Math.floor((Math.abs(v) * k + 2 ** 19) / 2 ** 20), GATE_SIGNAL_MAX);
  return g.map((row) => row.map((v) => (v < 0 ? 0 - size(v) : size(v))));
}

// ------------------------------------------------------------------------------------ level 5: the optimizer

const vote_norms = ({ q }) => q.map((row) => sum(row.map(Math.abs)));

const BAR = 4096; // evidence that flips a weight, in the units of accumulators

function halvesToEven(x) {
  const below = Math.floor(x);
  return below + (x - below > 0.5 || (x - below === 0.5 && below % 2 === 1) ? 1 : 0);
}

// Units of 2**-40 of the bar, up to eight bars.
const unitsOf = (eta) => Math.min(halvesToEven(Math.min(eta, 8) * 2 ** 40), 2 ** 43 - 1);

function rates(q, eta, clip) {
  const [norms, most] = [vote_norms({ q }), unitsOf(eta)];
  if (clip === Infinity) return q.map(() => most);
  const bound = (row) => BigInt(Math.floor(Math.min(2 ** 40 * (clip * Math.sqrt(row.length)), 2 ** 62)));
  return q.map((row, j) => Math.min(most, Number(bound(row) / BigInt(Math.max(norms[j], 1)))));
}

const clipped_eta = ({ q, eta, clip }) => rates(q, readFloat64(eta), readFloat64(clip));

// A tensor of weights, and what the optimizer remembers of it.
class Parameter {
  constructor(rows, nPlaces = 1, isClipped = true) {
    this.rows = rows.map(readBits);
    this.m = this.rows.map((row) => row.map(() => 0));
    this.beta = 2 ** 15;
    this.age = 0;
    this.unit = Math.sqrt(nPlaces);
    this.isClipped = isClipped;
  }

  // One row, from its first weight's rest on.  All numbers stay below 2**45.
  flipRow(j, q, eta, rest) {
    const [bits, m, size] = [this.rows[j], this.m[j], eta < 2 ** 25 ? eta : eta - (eta % 2 ** 13)];
    const most = Math.floor((2 ** 43 - 1) / Math.max(size, 1));
    let flips = 0;
    q.forEach((vote, i) => {
      const total = 2 ** 13 * (this.beta * m[i] + ((rest + 27893 * i) % 2 ** 15)) + size * clamp(vote, most);
      m[i] = clamp(Math.floor(total / 2 ** 28), 32767);
      if ((bits[i] ? m[i] : -m[i]) >= BAR) {
        bits[i] = 1 - bits[i];
        m[i] = 0;
        flips += 1;
      }
    });
    return flips;
  }

  flipRows(q, etas, dither) {
    const rest = (j) => (dither + 27893 * j * this.rows[0].length) % 2 ** 15;
    return sum(q.map((row, j) => this.flipRow(j, row, etas[j], rest(j))));
  }

  step(q, eta, clip, nSamples) {
    const share = eta / (SIGNAL_MAX * nSamples) / this.unit;
    const etas = rates(q, share, this.isClipped ? clip : Infinity);
    const flips = this.flipRows(q, etas, (20251 * this.age) % 2 ** 15);
    const nWeights = this.rows.length * this.rows[0].length;
    this.beta = Math.floor((2 ** 15 * (nWeights - flips) + Math.floor(nWeights / 2)) / nWeights);
    this.age += 1;
    return flips;
  }

  // Shape as two words, then the words of all rows, little-endian.
  hashInto(hash) {
    const update = (word) => hash.update(Buffer.from(word, "hex").reverse());
    for (const size of [this.rows.length, this.rows[0].length]) update(size.toString(16).padStart(16, "0"));
    for (const row of this.rows) toWords(row).forEach(update);
  }

  get text() {
    return { w: this.rows.map(writeBits), m: this.m };
  }
}

function flip({ w, m, q, beta, eta, dither }) {
  const parameter = new Parameter(w);
  parameter.m = m.map((row) => [...row]);
  parameter.beta = beta;
  const flips = parameter.flipRows(q, eta, dither);
  return { ...parameter.text, flips };
}

function optimize({ w, votes, n_samples, eta, clip }) {
  const parameter = new Parameter(w);
  const [flips, beta] = [[], []];
  votes.forEach((q, t) => {
    const n = n_samples[t];
    flips.push(n === 0 ? 0 : parameter.step(q, readFloat64(eta[t]), readFloat64(clip), n));
    beta.push(parameter.beta);
  });
  return { ...parameter.text, flips, beta };
}

// Integers that are added to sums, and the parts of a step that wait.
class Offset {
  constructor(values, rate, nTerms) {
    this.values = [...values];
    this.m = values.map(() => 0);
    this.reach = BigInt(Math.floor(2 ** 20 * (readFloat64(rate) * Math.sqrt(nTerms))));
    this.nTerms = nTerms;
  }

  // Whole steps are taken at once, and the rest waits, in units of 2**-24.
  move(q, eta) {
    const size = Math.min(unitsOf(eta), 2 ** 40);
    const before = this.values;
    const whole = q.map((vote, i) => {
      const u = Math.floor((clamp(size * vote, 2 ** 40) + 2 ** 15) / 2 ** 16);
      const left = this.m[i] - Number((BigInt(u) * this.reach + 2n ** 19n) >> 20n);
      const taken = Math.trunc(left / 2 ** 24);
      this.m[i] = left - taken * 2 ** 24;
      return taken;
    });
    this.values = before.map((o, i) => clamp(o + whole[i], this.nTerms));
    return sum(this.values.map((o, i) => Number(o !== before[i])));
  }

  step(q, eta, clip, nSamples) {
    return this.move(q, eta / (SIGNAL_MAX * nSamples));
  }

  hashInto(hash) {
    const bytes = Buffer.alloc(8 + 4 * this.values.length);
    bytes.writeUInt32LE(this.values.length);
    this.values.forEach((o, i) => bytes.writeInt32LE(o, 8 + 4 * i));
    hash.update(bytes);
  }
}

function move_offsets({ o, m, q, eta, rate, n_terms }) {
  const offset = new Offset(o, rate, n_terms);
  offset.m = [...m];
  const moved = offset.move(q, readFloat64(eta));
  return { o: offset.values, m: offset.m, moved };
}

// Which candidate each wire reads; candidates are weights that are F, and ask to be read by a flip.
class Choice {
  constructor(chosen, nCandidates, rate) {
    this.chosen = [...chosen];
    this.asking = new Parameter(chosen.map(() => "0".repeat(nCandidates)));
    this.rate = rate;
  }

  // A wire that moves reads the lowest vote of those that ask, of equals the first, and begins anew.
  move(q, eta, dither) {
    const n = q.length * q[0].length;
    this.asking.flipRows(q, q.map(() => eta), dither);
    const moving = range(q.length).filter((wire) => this.asking.rows[wire].includes(1));
    for (const wire of moving) {
      const votes = q[wire].map((vote, j) => (this.asking.rows[wire][j] ? vote : Infinity));
      this.chosen[wire] = votes.indexOf(Math.min(...votes));
      this.asking.rows[wire].fill(0);
      this.asking.m[wire].fill(0);
    }
    this.asking.beta = Math.floor((2 ** 15 * (n - moving.length) + Math.floor(n / 2)) / n);
    return moving.length;
  }

  step(q, eta, clip, nSamples) {
    const share = (eta / (SIGNAL_MAX * nSamples)) * this.rate;
    return this.move(q, unitsOf(share), (20251 * this.asking.age++) % 2 ** 15);
  }

  hashInto(hash) {
    const bytes = Buffer.alloc(16 + this.chosen.length);
    bytes.writeUInt32LE(this.chosen.length);
    bytes.writeUInt32LE(this.asking.rows[0].length, 8);
    bytes.set(this.chosen, 16);
    hash.update(bytes);
  }
}

function move_wires({ chosen, m, q, beta, eta, dither }) {
  const choice = new Choice(chosen, m[0].length, 1);
  choice.asking.m = m.map((row) => [...row]);
  choice.asking.beta = beta;
  const moved = choice.move(q, eta, dither);
  return { chosen: choice.chosen, m: choice.asking.m, moved };
}

// ---------------------------------------------------------------------------------------- level 6: training
// Between layers stand rows of values of M, or of sums.  A layer remembers what it needs on the way back.

const columnSums = (rows) => rows[0].map((_, j) => sum(rows.map((row) => row[j])));

class Linear {
  constructor(layer, nPlaces = 1) {
    this.gate = layer.gate;
    this.centered = layer.centered === true;
    this.weight = new Parameter(layer.weight, nPlaces);
    this.bias = layer.bias === null ? null : new Parameter([layer.bias], nPlaces);
    this.offset = layer.offset ? new Offset(layer.offset, layer.offset_rate, layer.weight[0].length) : null;
    this.parameters = [this.weight, this.bias, this.offset].filter(Boolean);
  }

  sums(x) {
    const made = sumsOf(this.gate, x, this.weight.rows.map(signs));
    const shifts = [];
    if (this.bias) shifts.push(signs(this.bias.rows[0]));
    if (this.offset) shifts.push(this.offset.values);
    return made.map((row) => row.map((s, j) => shifts.reduce((total, shift) => total + shift[j], s)));
  }

  collect(z, x) {
    const [nOutputs, nInputs] = [this.weight.rows.length, this.weight.rows[0].length];
    const votes = votesOnWeights(this.gate, z, x, nOutputs, nInputs);
    const totals = columnSums(z);
    return [votes, ...(this.bias ? [[totals]] : []), ...(this.offset ? [totals] : [])];
  }

  forward(x) {
    this.x = x;
    return this.sums(x);
  }

  backward(z) {
    return votesOnInputs(this.gate, z, this.weight.rows.map(signs));
  }

  votes(z) {
    const [q, ...rest] = this.collect(z, this.x);
    if (!this.centered) return [q, ...rest];
    const changes = this.x.map((row) => row.map((v) => variationInWeight(this.gate, v)));
    const sums = { signal_sums: columnSums(z), input_sums: columnSums(changes), n_samples: z.length };
    return [center_votes({ q, ...sums }), ...rest];
  }
}

class Conv extends Linear {
  constructor(layer) {
    super(layer, placesOf(layer.window).length);
    this.window = layer.window;
    this.paddingValue = layer.padding_value;
  }

  forward(x) {
    this.patches = x.map((image) => patchesOf(image, this.window, this.paddingValue));
    return this.patches.map((patches) => this.sums(patches).flat());
  }

  backward(z) {
    return votesOnPixels(this.gate, z, this.weight.rows.map(signs), this.window);
  }

  votes(z) {
    return this.collect(z.flatMap((row) => cut(row, this.weight.rows.length)), this.patches.flat());
  }
}

class MaxPool {
  parameters = [];

  constructor(layer) {
    this.options = { image_shape: layer.image_shape, size: layer.size };
  }

  forward(sums) {
    const { best, winner } = max_pool({ sums, ...this.options });
    this.winner = winner;
    return best;
  }

  backward(z) {
    return pool_back({ z, winner: this.winner, ...this.options });
  }
}

class Threshold {
  parameters = [];

  constructor({ tau, table, shift }) {
    this.options = { tau, table, shift };
  }

  forward(s) {
    this.s = s;
    return s.map((row) => signs(compare(row, this.options.tau)));
  }

  backward(g) {
    return rescale({ g, s: this.s, ...this.options });
  }
}

class Gates {
  constructor(layer) {
    this.wires = layer.wires;
    this.table = new Parameter(layer.tables, 1, layer.is_clipped ?? true);
    this.parameters = [this.table];
    this.candidates = layer.candidates;
    if (!this.candidates) return;
    const first = layer.wires.flat().map(() => 0); // what each wire reads in the beginning
    this.choice = new Choice(first, this.candidates[0][0].length, readFloat64(layer.wire_rate));
    this.parameters.push(this.choice);
  }

  connect() {
    const numbers = this.choice.chosen.values();
    this.wires = this.candidates.map((gate) => gate.map((units) => units[numbers.next().value]));
  }

  forward(x) {
    if (this.choice) this.connect();
    this.x = x.map((row) => row.map((v) => (v + 1) / 2));
    return this.x.map((row) => signs(lookUp(row, this.wires, this.table.rows)));
  }

  backward(z) {
    return votesOnUnits(z, this.x, this.wires, this.table.rows);
  }

  votes(z) {
    const onTables = votesOnTables(z, this.x, this.wires);
    if (!this.choice) return [onTables];
    return [onTables, votesOnCandidates(z, this.x, this.wires, this.table.rows, this.candidates)];
  }
}

class GateConv {
  constructor(layer) {
    this.wires = layer.wires;
    this.window = layer.window;
    this.nPlaces = placesOf(layer.window).length;
    this.parameters = layer.tables.map((rows) => new Parameter(rows, 1, false));
    for (const table of this.parameters) table.unit = 64 * layer.damping; // votes are divided by looks
  }

  forward(x) {
    this.trees = readTrees(this.wires, this.parameters.map((table) => table.rows));
    this.rows = climbTrees(this.trees, x.map((row) => row.map((v) => (v + 1) / 2)), this.window);
    return cut(this.rows.at(-1), this.nPlaces).map((places) => signs(places.flat()));
  }

  backward(z) {
    return fromWindows(descendTrees(z, this.trees, this.rows, this.nPlaces).patches, this.window);
  }

  votes(z) {
    return descendTrees(z, this.trees, this.rows, this.nPlaces).votes;
  }
}

class OrPool {
  parameters = [];

  constructor(layer) {
    this.shape = layer.image_shape;
    this.size = layer.size;
  }

  forward(x) {
    this.x = x.map((row) => row.map((v) => (v + 1) / 2));
    return this.x.map((row) => signs(anyOf(row, squaresOf(this.shape, this.size))));
  }

  backward(z) {
    return z.map((row, b) => toTheOnly(row, this.x[b], this.shape, this.size));
  }
}

class GroupSum {
  parameters = [];

  constructor(layer) {
    this.nGroups = layer.n_groups;
  }

  forward(x) {
    this.size = x[0].length / this.nGroups;
    return x.map((row) => groupScores(row.map((v) => (v + 1) / 2), this.nGroups));
  }

  backward(z) {
    return z.map((row) => row.flatMap((signal) => Array(this.size).fill(signal)));
  }
}

// Branches that see the same bits: their sums add up, and a signal on the total is a signal on each.
class Add {
  constructor(layer) {
    this.branches = layer.branches.map(readLayers);
    this.parameters = this.branches.flatMap(parametersOf);
  }

  forward(x) {
    return addUp(this.branches.map((branch) => climb(branch, x)));
  }

  backward(z) {
    return addUp(this.branches.map((branch) => branch[0].backward(descend(branch, z).signal)));
  }

  votes(z) {
    return this.branches.flatMap((branch) => descend(branch, z).votes);
  }
}

// What inner layers make stands behind what they see; they see F where an input is missing.
class Concatenate {
  constructor(layer) {
    this.layers = readLayers(layer.layers);
    this.parameters = parametersOf(this.layers);
  }

  forward(x) {
    this.nInputs = x[0].length;
    const made = climb(this.layers, x.map((row) => row.map((v) => v || -1)));
    return x.map((row, b) => [...row, ...made[b]]);
  }

  below(z) {
    return descend(this.layers, z.map((row) => row.slice(this.nInputs)));
  }

  backward(z) {
    return addUp([z.map((row) => row.slice(0, this.nInputs)), this.layers[0].backward(this.below(z).signal)]);
  }

  votes(z) {
    return this.below(z).votes;
  }
}

class SignalScale {
  parameters = [];

  constructor(layer) {
    this.fan_out = layer.fan_out;
  }

  forward(x) {
    return x;
  }

  backward(g) {
    return scale_signals({ g, fan_out: this.fan_out });
  }
}

const addUp = ([first, ...others]) =>
  first.map((row, b) => row.map((v, i) => others.reduce((total, other) => total + other[b][i], v)));

const LAYERS = {
  add: Add,
  concatenate: Concatenate,
  signal_scale: SignalScale,
  linear: Linear,
  conv: Conv,
  max_pool: MaxPool,
  threshold: Threshold,
  gate: Gates,
  gate_conv: GateConv,
  or_pool: OrPool,
  group_sum: GroupSum,
};

const readLayers = (layers) => layers.map((layer) => new LAYERS[layer.type](layer));

const parametersOf = (layers) => layers.flatMap((layer) => layer.parameters);

const climb = (layers, x) => layers.reduce((value, layer) => layer.forward(value), x);

// The signal that reaches the first layer, and the votes on all parameters in their order.
function descend(layers, signal) {
  let votes = [];
  for (const layer of [...layers].reverse()) {
    if (layer.parameters.length) votes = [...layer.votes(signal), ...votes];
    if (layer !== layers[0]) signal = layer.backward(signal);
  }
  return { signal, votes };
}

// Forward, back, and only then the flips: all votes are those of the weights before the step.
function trainStep(layers, network, batch, eta) {
  const weights = batch.map((i) => network.sample_weight?.[i] ?? FULL_WEIGHT);
  const nSamples = sum(weights) / FULL_WEIGHT;
  if (nSamples === 0) return 0;
  const scores = climb(layers, batch.map((i) => readLogic(network.x[i])));
  const signals = cross_entropy({ scores, y: batch.map((i) => network.y[i]), table: network.loss_table });
  const weighted = signals.map((row, b) => row.map((z) => roundAway(z, weights[b], BigInt(FULL_WEIGHT))));
  const { votes } = descend(layers, weighted);
  const clip = readFloat64(network.clip);
  return sum(parametersOf(layers).map((parameter, k) => parameter.step(votes[k], eta, clip, nSamples)));
}

function fingerprint(parameters) {
  const hash = crypto.createHash("sha256");
  parameters.forEach((parameter) => parameter.hashInto(hash));
  return hash.digest("hex");
}

function train({ network, batches, eta, checkpoints }) {
  const layers = readLayers(network.layers);
  const [flips, fingerprints] = [[], []];
  batches.forEach((batch, t) => {
    flips.push(trainStep(layers, network, batch, readFloat64(eta[t])));
    if (checkpoints.includes(t + 1)) fingerprints.push(fingerprint(parametersOf(layers)));
  });
  return { flips, fingerprints };
}

// ---------------------------------------------------------------------------------------------- the protocol

const FUNCTIONS = {
  ...{ connective, project, mixed, delta, variations },
  ...{ gate_table, gate_variations, table_values },
  ...{ pack, unpack, negate, transpose, count_rows },
  ...{ gate_sum, gate_bits, conv_sum, max_pool, tree_values, or_pool, group_sum, rescale },
  ...{ loss_table, threshold_table, cross_entropy, squared_error },
  ...{ weight_votes, input_votes, center_votes, conv_weight_votes, pixel_votes, pool_back, table_votes, wire_votes },
  ...{ candidate_votes, tree_table_votes, tree_pixel_votes, or_pool_back },
  ...{ scale_signals, vote_norms, clipped_eta, flip, optimize, move_offsets, move_wires },
  train,
};

function answer({ id, function: name, arguments: given }) {
  if (!Object.hasOwn(FUNCTIONS, name)) return { id, error: "unsupported" };
  try {
    return { id, result: FUNCTIONS[name](given) };
  } catch (error) {
    return { id, error: String(error) };
  }
}

if (require.main === module) {
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
  });
}
