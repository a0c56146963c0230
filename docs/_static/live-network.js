// The network of the landing page: two layers of single bits that learn by the integer rule of the optimizer.
//
// docs/_ext/live.py trains the same in Python. Bits stand in words of 32; sums are below 2**53, where doubles are
// exact. tutorials/ports/javascript is the readable port, this is the fast one of a single network.

"use strict";

var LiveNetwork = (() => {
  const SIGNAL_MAX = 127;
  const BAR = 4096;

  function popcount(v) {
    v -= (v >>> 1) & 0x55555555;
    v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
    return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }

  function readWords(base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
  }

  const clamp = (v, limit) => Math.max(-limit, Math.min(limit, v));
  const signOf = (words, i) => ((words[i >>> 5] >>> (i & 31)) & 1 ? 1 : -1);

  // Rows of signs, a byte each, of rows of words; nInputs is a multiple of 32.
  function signsOf(words) {
    const signs = new Int8Array(32 * words.length);
    for (let i = 0; i < signs.length; i++) signs[i] = signOf(words, i);
    return signs;
  }

  // Halves to even; of what is positive.
  function roundEven(x) {
    const below = Math.floor(x);
    return below + (x - below > 0.5 || (x - below === 0.5 && below % 2 === 1) ? 1 : 0);
  }

  // Halves away from zero, within +-127.
  function rescaled(signal, factor, shift) {
    const size = Math.floor(Math.abs(signal) * factor / 2 ** shift + 0.5);
    return signal < 0 ? -Math.min(size, SIGNAL_MAX) : Math.min(size, SIGNAL_MAX);
  }

  class Layer {
    constructor(words, nOutputs, nInputs) {
      this.words = words;
      this.nOutputs = nOutputs;
      this.nInputs = nInputs;
      this.signs = signsOf(words); // the same bits once more, for what multiplies
      this.m = new Int16Array(nOutputs * nInputs);
      this.q = new Int32Array(nOutputs * nInputs);
      this.beta = 2 ** 15;
      this.age = 0;
      this.flipped = [];
    }

    // Agreements less disagreements, for rows of words.
    sums(x, nRows) {
      const { words, nOutputs, nInputs } = this;
      const n = nInputs >>> 5;
      const out = new Int32Array(nRows * nOutputs);
      for (let b = 0; b < nRows; b++) {
        for (let j = 0; j < nOutputs; j++) {
          let differ = 0;
          for (let k = 0; k < n; k++) differ += popcount(x[b * n + k] ^ words[j * n + k]);
          out[b * nOutputs + j] = nInputs - 2 * differ;
        }
      }
      return out;
    }

    // What the signals z want of the inputs.
    votesOnInputs(z, nRows) {
      const { signs, nOutputs, nInputs } = this;
      const out = new Int32Array(nRows * nInputs);
      for (let b = 0; b < nRows; b++) {
        for (let j = 0; j < nOutputs; j++) {
          const signal = z[b * nOutputs + j];
          if (signal === 0) continue;
          for (let i = 0; i < nInputs; i++) out[b * nInputs + i] += signal * signs[j * nInputs + i];
        }
      }
      return out;
    }

    // What they want of the weights; centred, the mean of an input over the batch does not count.
    collect(z, signs, nRows, centered) {
      const { q, nOutputs, nInputs } = this;
      q.fill(0);
      for (let b = 0; b < nRows; b++) {
        for (let j = 0; j < nOutputs; j++) {
          const signal = z[b * nOutputs + j];
          if (signal === 0) continue;
          for (let i = 0, at = j * nInputs, from = b * nInputs; i < nInputs; i++) q[at + i] += signal * signs[from + i];
        }
      }
      if (centered) this.center(z, signs, nRows);
    }

    center(z, signs, nRows) {
      const { q, nOutputs, nInputs } = this;
      const columns = (values, n) => {
        const totals = new Int32Array(n);
        for (let i = 0; i < nRows * n; i++) totals[i % n] += values[i];
        return totals;
      };
      const means = columns(signs, nInputs).map((x) => Math.floor((x * 2 ** 16 + nRows) / (2 * nRows)));
      columns(z, nOutputs).forEach((total, j) => {
        for (let i = 0; i < nInputs; i++) q[j * nInputs + i] -= Math.floor((total * means[i] + 16384) / 32768);
      });
    }

    // Votes move accumulators; a weight whose accumulator reaches the bar flips, and starts from 0.
    step(eta, clip) {
      const { nOutputs, nInputs } = this;
      const most = Math.min(roundEven(Math.min(eta, 8) * 2 ** 40), 2 ** 43 - 1);
      const bound = Math.floor(2 ** 40 * (clip * Math.sqrt(nInputs))); // quotients are exact below 2**53, and at infinity
      this.flipped = [];
      for (let j = 0; j < nOutputs; j++) {
        let norm = 0;
        for (let i = 0; i < nInputs; i++) norm += Math.abs(this.q[j * nInputs + i]);
        this.flipRow(j, Math.min(most, Math.floor(bound / Math.max(norm, 1))));
      }
      const size = nOutputs * nInputs;
      this.beta = Math.floor((2 ** 15 * (size - this.flipped.length) + Math.floor(size / 2)) / size);
      this.age += 1;
    }

    flipRow(j, eta) {
      const { m, q, words, signs, beta, nInputs } = this;
      const size = eta < 2 ** 25 ? eta : eta - (eta % 2 ** 13);
      const limit = Math.floor((2 ** 43 - 1) / Math.max(size, 1));
      const rest = (20251 * this.age) % 2 ** 15;
      for (let i = j * nInputs; i < (j + 1) * nInputs; i++) {
        const dither = (rest + 27893 * i) & 32767;
        const total = 2 ** 13 * (beta * m[i] + dither) + size * clamp(q[i], limit);
        m[i] = clamp(Math.floor(total / 2 ** 28), 32767);
        if (m[i] * signs[i] >= BAR) {
          words[i >>> 5] ^= 1 << (i & 31);
          signs[i] = -signs[i];
          m[i] = 0;
          this.flipped.push(i);
        }
      }
    }
  }

  class Network {
    constructor(lesson) {
      this.lesson = lesson;
      const [nInputs, nHidden, nClasses] = lesson.sizes;
      const [first, last] = lesson.weights.map(readWords);
      this.hidden = new Layer(first, nHidden, nInputs);
      this.scores = new Layer(last, nClasses, nHidden);
      const read = ({ x, y }) => ({ x: readWords(x), y: Array.from(y, Number) });
      [this.learn, this.held] = [read(lesson.learn), read(lesson.held)];
      this.stepsInEpoch = Math.floor(this.learn.y.length / lesson.batch);
      this.nSteps = lesson.etas.length;
      this.stepCount = 0;
    }

    // Bits of the hidden units, from their sums.
    bits(s, nRows) {
      const { tau } = this.lesson;
      const out = new Uint32Array((nRows * tau.length) >>> 5);
      for (let i = 0; i < s.length; i++) if (s[i] >= tau[i % tau.length]) out[i >>> 5] |= 1 << (i & 31);
      return out;
    }

    answer(x, nRows) {
      return this.scores.sums(this.bits(this.hidden.sums(x, nRows), nRows), nRows);
    }

    // Rows of the next step: a prime p of samples, of which epoch e takes number i e mod p at place i.
    rows() {
      const epoch = Math.floor(this.stepCount / this.stepsInEpoch) + 1;
      const start = (this.stepCount % this.stepsInEpoch) * this.lesson.batch;
      return Array.from({ length: this.lesson.batch }, (_, k) => ((start + k) * epoch) % this.learn.y.length);
    }

    signals(scores, y) {
      const { losses } = this.lesson;
      const n = this.scores.nOutputs;
      const z = new Int32Array(scores.length);
      y.forEach((label, b) => {
        const row = scores.subarray(b * n, (b + 1) * n);
        const best = Math.max(...row);
        const weights = Array.from(row, (s) => losses[Math.min(best - s, losses.length - 1)]);
        const total = weights.reduce((sum, v) => sum + v, 0);
        weights.forEach((v, j) => {
          z[b * n + j] = Math.floor((2 * SIGNAL_MAX * v + total) / (2 * total)) - (j === label ? SIGNAL_MAX : 0);
        });
      });
      return z;
    }

    // Up, back down, and only then the flips.
    step() {
      const { tau, curve, shift, etas, clip } = this.lesson;
      const n = this.hidden.nInputs >>> 5;
      const rows = this.rows();
      const x = new Uint32Array(rows.length * n);
      rows.forEach((row, b) => x.set(this.learn.x.subarray(row * n, (row + 1) * n), b * n));
      const s = this.hidden.sums(x, rows.length);
      const h = this.bits(s, rows.length);
      const z = this.signals(this.scores.sums(h, rows.length), rows.map((row) => this.learn.y[row]));
      const below = this.scores.votesOnInputs(z, rows.length);
      for (let i = 0; i < below.length; i++) {
        const distance = Math.abs(s[i] - tau[i % tau.length]);
        below[i] = rescaled(below[i], curve[Math.min(distance, curve.length - 1)], shift);
      }
      this.scores.collect(z, signsOf(h), rows.length, true);
      this.hidden.collect(below, signsOf(x), rows.length, false);
      for (const layer of [this.hidden, this.scores]) layer.step(etas[this.stepCount], clip);
      this.stepCount += 1;
    }

    get isDone() {
      return this.stepCount === this.nSteps;
    }

    // How many of the held-out digits it reads.
    countRead() {
      const n = this.scores.nOutputs;
      const scores = this.answer(this.held.x, this.held.y.length);
      return this.held.y.filter((label, b) => {
        const row = scores.subarray(b * n, (b + 1) * n);
        return row.indexOf(Math.max(...row)) === label;
      }).length;
    }

    // SHA-256 of each layer's shape, two words of 64 bits, and its words, little-endian.
    fingerprint() {
      const layers = [this.hidden, this.scores];
      const words = layers.flatMap((layer) => [layer.nOutputs, 0, layer.nInputs, 0, ...layer.words]);
      const view = new DataView(new ArrayBuffer(4 * words.length));
      words.forEach((word, i) => view.setUint32(4 * i, word, true));
      return sha256(view);
    }
  }

  // The first 32 bits of the fractional parts of roots of primes are the constants of SHA-256 (FIPS 180-4).
  const PRIMES = Array.from({ length: 312 }, (_, i) => i).filter((p) => p > 1 && ![2, 3, 5, 7, 11, 13, 17].some((d) => d < p && p % d === 0));
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) >>> 0;
  const ROUNDS = PRIMES.slice(0, 64).map((p) => fraction(Math.cbrt(p)));
  const START = PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p)));

  const turn = (v, n) => (v >>> n) | (v << (32 - n));

  function compress(state, w) {
    for (let t = 16; t < 64; t++) {
      const low = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ (w[t - 15] >>> 3);
      const high = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ (w[t - 2] >>> 10);
      w[t] = w[t - 16] + low + w[t - 7] + high;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[t] + w[t]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((v, i) => (state[i] += v));
  }

  function sha256(view) {
    const n = view.byteLength;
    const padded = new DataView(new ArrayBuffer(64 * Math.ceil((n + 9) / 64)));
    new Uint8Array(padded.buffer).set(new Uint8Array(view.buffer));
    padded.setUint8(n, 0x80);
    padded.setUint32(padded.byteLength - 4, 8 * n);
    const state = Uint32Array.from(START);
    const w = new Uint32Array(64);
    for (let at = 0; at < padded.byteLength; at += 64) {
      for (let t = 0; t < 16; t++) w[t] = padded.getUint32(at + 4 * t);
      compress(state, w);
    }
    return Array.from(state, (v) => v.toString(16).padStart(8, "0")).join("");
  }

  return Object.assign(Network, { BAR, Layer });
})();

if (typeof module !== "undefined") module.exports = LiveNetwork;
