// What the landing page shows of the network that learns in it, and what the reader may do with it.

"use strict";

(() => {
  const STEPS_IN_FRAME = 4;
  const GLOW = 12; // frames for which a flipped bit is lit
  const PAPER = 32; // pixels of a drawing; the data set counts squares of four by four of them

  const part = (name) => document.getElementById("live-" + name);
  const lesson = JSON.parse(part("lesson").textContent);
  const reducesMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--live-" + name).trim();

  let network, curve, flips, glow, start;
  let isWanted = !reducesMotion;
  let isInSight = false;
  let isWaiting = false;
  let paper = new Uint8Array(PAPER * PAPER);
  let pixels = null; // 8 by 8 of what is drawn, from 0 to 16

  // ------------------------------------------------------------------------------------------- training

  function begin() {
    network = new LiveNetwork(lesson);
    curve = [network.countRead()];
    flips = [];
    glow = new Uint8Array(network.hidden.signs.length);
    start = network.hidden.signs.slice();
    part("here").textContent = "\u2026";
    part("verdict").textContent = "";
    show();
  }

  function train() {
    for (let k = 0; k < STEPS_IN_FRAME && !network.isDone; k++) {
      network.step();
      flips.push(network.hidden.flipped.length + network.scores.flipped.length);
      for (const i of network.hidden.flipped) glow[i] = GLOW;
      if (network.stepCount % network.stepsInEpoch === 0) curve.push(network.countRead());
    }
    if (network.isDone) finish();
  }

  function finish() {
    const [here, there] = [network.fingerprint(), lesson.fingerprint];
    part("here").textContent = here;
    part("verdict").textContent =
      here === there ? "Equal: the same network, bit for bit, on your machine." : "Not equal: please report it.";
    part("verdict").dataset.equal = here === there;
  }

  function frame() {
    isWaiting = false;
    const isGlowing = glow.some((v) => v > 0);
    if (isWanted && !network.isDone) train();
    show();
    if ((isWanted && !network.isDone) || isGlowing) wake();
  }

  function wake() {
    if (isWaiting || !isInSight || document.hidden) return;
    isWaiting = true;
    requestAnimationFrame(frame);
  }

  // -------------------------------------------------------------------------------------------- showing

  function show() {
    showBits();
    showCurve();
    answer();
    const read = ((100 * curve.at(-1)) / network.held.y.length).toFixed(1);
    const epoch = Math.floor(network.stepCount / network.stepsInEpoch);
    part("run").textContent = isWanted ? "Pause" : "Train";
    part("run").disabled = network.isDone;
    part("status").textContent = network.isDone
      ? `Done: ${read} % of the held-out digits are read.`
      : `Epoch ${epoch} of ${lesson.epochs}`;
  }

  const parse = (name) => colour(name).match(/\d+/g).map(Number);

  // Neuron j is a square of 16 by 16; the four cuts of an image are its quarters.
  function showBits() {
    const context = part("bits").getContext("2d");
    const image = context.createImageData(256, 256);
    const [on, off, lit, turnedOn, turnedOff] = ["on", "off", "lit", "turned-on", "turned-off"].map(parse);
    const { signs } = network.hidden;
    for (let i = 0; i < signs.length; i++) {
      const [neuron, cut, y, x] = [i >> 8, (i >> 6) & 3, (i >> 3) & 7, i & 7];
      const row = 16 * (neuron >> 4) + 8 * (cut >> 1) + y;
      const column = 16 * (neuron & 15) + 8 * (cut & 1) + x;
      const [same, turned] = signs[i] > 0 ? [on, turnedOn] : [off, turnedOff];
      const base = signs[i] === start[i] ? same : turned;
      const share = glow[i] / GLOW;
      for (let c = 0; c < 3; c++) image.data[4 * (256 * row + column) + c] = base[c] + share * (lit[c] - base[c]);
      image.data[4 * (256 * row + column) + 3] = 255;
      if (glow[i]) glow[i] -= 1;
    }
    context.putImageData(image, 0, 0);
  }

  function showCurve() {
    const canvas = part("curve");
    const context = canvas.getContext("2d");
    const [left, top, right, bottom] = [64, 30, 496, 470];
    const at = (epoch) => left + ((right - left) * epoch) / lesson.epochs;
    const height = (share) => bottom - (bottom - top) * share;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.font = "24px sans-serif";
    context.lineWidth = 1;
    context.strokeStyle = colour("line");
    context.fillStyle = colour("text");
    context.textAlign = "right";
    for (const percent of [0, 25, 50, 75, 100]) {
      context.fillText(percent, left - 8, height(percent / 100) + 8);
      context.beginPath();
      context.moveTo(left, height(percent / 100));
      context.lineTo(right, height(percent / 100));
      context.stroke();
    }
    context.textAlign = "center";
    for (const epoch of [0, 5, 10, 15, 20]) context.fillText(epoch, at(epoch), bottom + 30);
    const most = Math.max(...flips, 1);
    context.fillStyle = colour("flips");
    flips.forEach((n, t) => {
      const size = ((bottom - top) * 0.4 * n) / most;
      context.fillRect(at(t / network.stepsInEpoch), bottom - size, 1.5, size);
    });
    context.strokeStyle = context.fillStyle = colour("accent");
    context.lineWidth = 4;
    context.beginPath();
    curve.forEach((n, epoch) => context.lineTo(at(epoch), height(n / network.held.y.length)));
    context.stroke();
    context.beginPath();
    context.arc(at(curve.length - 1), height(curve.at(-1) / network.held.y.length), 7, 0, 7);
    context.fill();
    context.font = "bold 44px sans-serif";
    context.textAlign = "right";
    const label = ((100 * curve.at(-1)) / network.held.y.length).toFixed(1) + " %";
    context.fillText(label, right, height(0.5) + 15);
  }

  // ------------------------------------------------------------------------------------------- a drawing

  // Bounds of the ink, or null.
  function bounds() {
    const inked = [...paper.keys()].filter((i) => paper[i]);
    if (!inked.length) return null;
    const [xs, ys] = [inked.map((i) => i % PAPER), inked.map((i) => Math.floor(i / PAPER))];
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
  }

  // As in the data set: the digit fills 32 by 32, and the ink of squares of four by four is counted.
  function count() {
    const found = bounds();
    if (!found) return null;
    const [left, top, right, bottom] = found;
    const size = Math.max(right - left, bottom - top, 12);
    const [x0, y0] = [(left + right - size) / 2, (top + bottom - size) / 2];
    const counts = new Uint8Array(64);
    for (let y = 0; y < PAPER; y++) {
      for (let x = 0; x < PAPER; x++) {
        const u = Math.floor(x0 + ((x + 0.5) * size) / PAPER);
        const v = Math.floor(y0 + ((y + 0.5) * size) / PAPER);
        if (u >= 0 && v >= 0 && u < PAPER && v < PAPER) counts[8 * (y >> 2) + (x >> 2)] += paper[PAPER * v + u];
      }
    }
    return counts;
  }

  function encode(values) {
    const words = new Uint32Array((64 * lesson.cuts.length) / 32);
    lesson.cuts.forEach((cut, k) => values.forEach((v, i) => {
      if (v >= cut) words[(64 * k + i) >> 5] |= 1 << (i & 31);
    }));
    return words;
  }

  function answer() {
    showPaper();
    const scores = pixels && network.answer(encode(pixels), 1);
    const best = scores ? scores.indexOf(Math.max(...scores)) : -1;
    const [low, high] = scores ? [Math.min(...scores), Math.max(...scores)] : [0, 1];
    Array.from(part("scores").children).forEach((bar, j) => {
      bar.style.setProperty("--share", scores ? (scores[j] - low) / Math.max(high - low, 1) : 0);
      bar.classList.toggle("best", j === best);
    });
    const text = scores ? `Read as ${best}.` : "Nothing drawn yet.";
    if (part("says").textContent !== text) part("says").textContent = text;
  }

  function showPaper() {
    const context = part("draw").getContext("2d");
    const scale = 256 / PAPER;
    context.clearRect(0, 0, 256, 256);
    context.fillStyle = colour("ink");
    for (let i = 0; i < paper.length; i++) {
      if (paper[i]) context.fillRect((i % PAPER) * scale, Math.floor(i / PAPER) * scale, scale, scale);
    }
    if (document.activeElement === part("draw")) {
      context.strokeStyle = colour(pen.isDown ? "lit" : "accent");
      context.lineWidth = 3;
      context.strokeRect(pen.x * scale - 8, pen.y * scale - 8, 16, 16);
    }
    const small = part("seen").getContext("2d");
    small.clearRect(0, 0, 8, 8);
    small.fillStyle = colour("ink");
    (pixels || []).forEach((v, i) => {
      small.globalAlpha = v / 16;
      small.fillRect(i % 8, i >> 3, 1, 1);
    });
  }

  const pen = { x: 16, y: 16, isDown: false };

  function ink(x, y) {
    for (let v = Math.floor(y - 2); v <= y + 2; v++) {
      for (let u = Math.floor(x - 2); u <= x + 2; u++) {
        const isInside = u >= 0 && v >= 0 && u < PAPER && v < PAPER;
        if (isInside && (u + 0.5 - x) ** 2 + (v + 0.5 - y) ** 2 < 4.5) paper[PAPER * v + u] = 1;
      }
    }
  }

  function moveTo(x, y) {
    const n = Math.ceil(Math.hypot(x - pen.x, y - pen.y)) || 1;
    if (pen.isDown) for (let k = 1; k <= n; k++) ink(pen.x + ((x - pen.x) * k) / n, pen.y + ((y - pen.y) * k) / n);
    [pen.x, pen.y] = [x, y];
    pixels = count();
    answer();
  }

  function clear() {
    paper.fill(0);
    [pixels, pen.isDown] = [null, false];
    answer();
  }

  // A digit that the network has not learnt from, as the data set has it.
  function takeSample() {
    clear();
    const number = Math.floor(Math.random() * network.held.y.length);
    const words = network.held.x.subarray(8 * number, 8 * number + 8);
    const bit = (k) => (words[k >> 5] >>> (k & 31)) & 1;
    const steps = [0, ...lesson.cuts].map((cut, k, all) => Math.min(16, Math.round((cut + (all[k + 1] ?? 18)) / 2 - 1)));
    pixels = Uint8Array.from({ length: 64 }, (_, i) => steps[lesson.cuts.filter((_, k) => bit(64 * k + i)).length]);
    for (let i = 0; i < paper.length; i++) {
      const [x, y] = [i % PAPER, Math.floor(i / PAPER)];
      paper[i] = pixels[8 * (y >> 2) + (x >> 2)] > ((5 * (x & 3) + 7 * (y & 3)) & 15) ? 1 : 0; // as dots
    }
    answer();
  }

  // ---------------------------------------------------------------------------------------------- wiring

  function place(event) {
    const box = part("draw").getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAPER, ((event.clientY - box.top) / box.height) * PAPER];
  }

  const ARROWS = { ArrowLeft: [-2, 0], ArrowRight: [2, 0], ArrowUp: [0, -2], ArrowDown: [0, 2] };

  function press(event) {
    const at = (v) => Math.max(1, Math.min(PAPER - 1, v));
    if (ARROWS[event.key]) moveTo(at(pen.x + ARROWS[event.key][0]), at(pen.y + ARROWS[event.key][1]));
    else if (event.key === " ") [pen.isDown] = [!pen.isDown, moveTo(pen.x, pen.y)];
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
  }

  function wire() {
    for (let j = 0; j < 10; j++) part("scores").append(Object.assign(document.createElement("li"), { textContent: j }));
    part("draw").addEventListener("pointerdown", (event) => {
      part("draw").setPointerCapture(event.pointerId);
      [pen.x, pen.y] = place(event);
      pen.isDown = true;
      moveTo(pen.x, pen.y);
    });
    part("draw").addEventListener("pointermove", (event) => event.buttons && moveTo(...place(event)));
    part("draw").addEventListener("pointerup", () => (pen.isDown = false));
    part("draw").addEventListener("keydown", press);
    for (const name of ["focus", "blur"]) part("draw").addEventListener(name, answer);
    part("run").addEventListener("click", () => {
      isWanted = !isWanted;
      show();
      wake();
    });
    part("again").addEventListener("click", () => {
      isWanted = true;
      begin();
      wake();
    });
    part("sample").addEventListener("click", takeSample);
    part("clear").addEventListener("click", clear);
    document.addEventListener("visibilitychange", wake);
    new IntersectionObserver(([seen]) => {
      isInSight = seen.isIntersecting;
      wake();
    }).observe(document.getElementById("live"));
    new MutationObserver(show).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  }

  wire();
  begin();
  takeSample();
})();
