"use strict";
// Clouds of points that are turned: by dragging, or by the arrow keys; what is near goes along. 0 puts one back.
(() => {
  const FIRST = { aside: (-35 * Math.PI) / 180, above: (20 * Math.PI) / 180 };
  const STEP = (15 * Math.PI) / 180;
  const EDGE = 1.15; // of the sphere, that fits in the picture

  function start(canvas) {
    const bytes = Uint8Array.from(atob(canvas.dataset.cloud), (letter) => letter.charCodeAt(0));
    const points = new Int8Array(bytes.buffer);
    const context = canvas.getContext("2d");
    let eye = { ...FIRST };
    let from = null;

    function draw() {
      const ratio = window.devicePixelRatio || 1;
      const side = Math.max(1, Math.round(canvas.clientWidth * ratio));
      if (canvas.width !== side) canvas.width = canvas.height = side;
      context.clearRect(0, 0, side, side);
      context.fillStyle = getComputedStyle(canvas).color;
      const [cosA, sinA] = [Math.cos(eye.aside), Math.sin(eye.aside)];
      const [cosB, sinB] = [Math.cos(eye.above), Math.sin(eye.above)];
      const dot = Math.max(1.5 * ratio, side / 48);
      for (let i = 0; i < points.length; i += 3) {
        const [x, y, z] = [points[i] / 127, points[i + 1] / 127, points[i + 2] / 127];
        const near = cosA * z - sinA * x;
        const right = cosA * x + sinA * z;
        const up = cosB * y - sinB * near;
        context.globalAlpha = 0.25 + 0.375 * (1 + cosB * near + sinB * y);
        context.fillRect(((right / EDGE + 1) / 2) * side - dot / 2, ((1 - up / EDGE) / 2) * side - dot / 2, dot, dot);
      }
    }

    function turn(aside, above) {
      eye.aside += aside;
      eye.above = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, eye.above + above));
      draw();
    }

    canvas.addEventListener("pointerdown", (event) => {
      from = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      turn((event.clientX - from[0]) / 40, (event.clientY - from[1]) / 40);
      from = [event.clientX, event.clientY];
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { from = null; });
    canvas.addEventListener("keydown", (event) => {
      const keys = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
      if (event.key === "0") {
        eye = { ...FIRST };
        draw();
      } else if (keys[event.key]) turn(...keys[event.key]);
      else return;
      event.preventDefault();
    });
    draw();
    return draw;
  }

  const drawn = [...document.querySelectorAll("canvas.cloud")].map(start);
  const all = () => drawn.forEach((draw) => draw());
  addEventListener("resize", all);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
})();
