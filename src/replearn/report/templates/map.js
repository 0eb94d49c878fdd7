"use strict";
// The map: samples as thumbnails (or dots) on a canvas, with zoom, pan, hover and a legend. Texts from data
// are only ever set as textContent.
(() => {
  const holder = document.getElementById("map");
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const canvas = holder.querySelector("canvas");
  const context = canvas.getContext("2d");
  const tip = holder.querySelector(".tip");
  const count = data.labels.length;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const view = { zoom: 1, x: 0, y: 0 }; // shift in pixels from the centre
  const hidden = new Set();
  let places = Float32Array.from(data.places[0]);
  let sheet = null; // an image or a tinted canvas
  let colours = [];
  let hovered = -1;
  let size = { width: 1, height: 1, ratio: 1 };

  const colourOf = (i) => colours[data.labels[i] < 0 ? data.colours : data.labels[i] % data.colours];

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const names = Array.from({ length: data.colours }, (_, i) => `--c${i}`).concat("--none");
    colours = names.map((name) => {
      context.fillStyle = style.getPropertyValue(name).trim();
      return context.fillStyle; // as #rrggbb
    });
    colours.page = style.getPropertyValue("--page").trim();
    colours.ink = style.getPropertyValue("--ink").trim();
  }

  function loadSheet() {
    const element = holder.querySelector(".thumb");
    if (!data.sheet || !element) return;
    const image = new Image();
    image.onload = () => {
      sheet = data.sheet.grey ? tinted(image) : image;
      draw();
    };
    image.src = getComputedStyle(element).backgroundImage.slice(5, -2); // url("...")
  }

  // Grey samples become ink in their class's colour on nothing.
  function tinted(image) {
    const { cell, columns, inverted } = data.sheet;
    const copy = document.createElement("canvas");
    copy.width = image.width;
    copy.height = image.height;
    const inner = copy.getContext("2d");
    inner.drawImage(image, 0, 0);
    const pixels = inner.getImageData(0, 0, copy.width, copy.height);
    for (let i = 0; i < count; i++) {
      const value = parseInt(colourOf(i).slice(1), 16);
      const left = (i % columns) * cell, top = Math.floor(i / columns) * cell;
      for (let y = top; y < top + cell; y++) {
        for (let at = 4 * (y * copy.width + left), end = at + 4 * cell; at < end; at += 4) {
          const grey = pixels.data[at];
          pixels.data[at] = value >> 16;
          pixels.data[at + 1] = (value >> 8) & 255;
          pixels.data[at + 2] = value & 255;
          pixels.data[at + 3] = inverted ? 255 - grey : grey;
        }
      }
    }
    inner.putImageData(pixels, 0, 0);
    return copy;
  }

  function resize() {
    const box = canvas.getBoundingClientRect();
    size = { width: box.width, height: box.height, ratio: window.devicePixelRatio || 1 };
    canvas.width = Math.round(box.width * size.ratio);
    canvas.height = Math.round(box.height * size.ratio);
    draw();
  }

  const radius = () => 0.46 * Math.min(size.width, size.height);
  const screenX = (i) => size.width / 2 + view.x + (places[2 * i] / 1000) * radius() * view.zoom;
  const screenY = (i) => size.height / 2 + view.y - (places[2 * i + 1] / 1000) * radius() * view.zoom;
  const side = () => {
    const room = (1.8 * radius()) / Math.sqrt(Math.max(count, 40));
    return sheet ? Math.min(96, Math.max(12, room) * Math.pow(view.zoom, 0.7)) : Math.min(18, 6 * Math.pow(view.zoom, 0.4));
  };

  function drawSample(i, width) {
    const x = screenX(i), y = screenY(i);
    if (x < -width || y < -width || x > size.width + width || y > size.height + width) return;
    context.fillStyle = context.strokeStyle = colourOf(i);
    if (!sheet) {
      context.beginPath();
      context.arc(x, y, width / 2, 0, 2 * Math.PI);
      context.fill();
      return;
    }
    const { cell, columns, grey } = data.sheet;
    context.drawImage(sheet, (i % columns) * cell, Math.floor(i / columns) * cell, cell, cell, x - width / 2, y - width / 2, width, width);
    if (grey) return;
    context.lineWidth = Math.max(1.5, width / 16);
    context.strokeRect(x - width / 2, y - width / 2, width, width);
  }

  function draw() {
    context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    const width = side();
    context.imageSmoothingEnabled = true;
    context.globalAlpha = sheet ? 1 : 0.8;
    for (let i = 0; i < count; i++) if (!hidden.has(data.labels[i])) drawSample(i, width);
    context.globalAlpha = 1;
    if (hovered < 0) return;
    context.lineWidth = 2;
    context.strokeStyle = colours.ink;
    context.beginPath();
    context.arc(screenX(hovered), screenY(hovered), 0.75 * width + 2, 0, 2 * Math.PI);
    context.stroke();
  }

  let waiting = false;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  function zoomAt(factor, x, y) {
    const zoom = Math.min(40, Math.max(1, view.zoom * factor));
    if (zoom === view.zoom) return false;
    const rate = zoom / view.zoom;
    view.x = x - size.width / 2 - (x - size.width / 2 - view.x) * rate;
    view.y = y - size.height / 2 - (y - size.height / 2 - view.y) * rate;
    view.zoom = zoom;
    if (zoom === 1) view.x = view.y = 0;
    hide();
    redraw();
    return true;
  }

  function showAll() {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    hide();
    redraw();
  }

  function hide() {
    hovered = -1;
    tip.hidden = true;
  }

  function hover(x, y) {
    let best = -1, least = Math.max(12, 0.8 * side()) ** 2;
    for (let i = 0; i < count; i++) {
      if (hidden.has(data.labels[i])) continue;
      const distance = (screenX(i) - x) ** 2 + (screenY(i) - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    if (best === hovered) return;
    hovered = best;
    tip.hidden = best < 0;
    if (best >= 0) tell(best);
    redraw();
  }

  function tell(i) {
    tip.querySelector(".tip-class").textContent = data.classes[i];
    tip.querySelector(".tip-name").textContent = data.samples[i];
    if (data.sheet) {
      const { columns, rows } = data.sheet;
      const x = (100 * (i % columns)) / Math.max(1, columns - 1);
      const y = (100 * Math.floor(i / columns)) / Math.max(1, rows - 1);
      tip.querySelector(".thumb").style.backgroundPosition = `${x}% ${y}%`;
    }
    const x = screenX(i), y = screenY(i), gap = 16 + side() / 2;
    tip.style.left = `${x + gap + tip.offsetWidth > size.width ? Math.max(0, x - gap - tip.offsetWidth) : x + gap}px`;
    tip.style.top = `${Math.max(0, Math.min(size.height - tip.offsetHeight, y - tip.offsetHeight / 2))}px`;
  }

  // Samples move from their places on the old map to those on the new one.
  let moving = 0;
  function move(to) {
    const from = places.slice(), began = performance.now(), own = ++moving;
    hide();
    const step = (now) => {
      if (own !== moving) return;
      const share = calm.matches ? 1 : Math.min(1, Math.max(0, (now - began) / 700));
      const eased = share * share * (3 - 2 * share);
      places = from.map((value, i) => value + (to[i] - value) * eased);
      draw();
      if (share < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, at(event));
    canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("moving");
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    const last = fingers.get(event.pointerId);
    if (!last) return hover(x, y);
    const other = [...fingers].find(([id]) => id !== event.pointerId);
    fingers.set(event.pointerId, [x, y]);
    if (other) {
      const span = (point) => Math.hypot(point[0] - other[1][0], point[1] - other[1][1]);
      zoomAt(span([x, y]) / Math.max(1, span(last)), other[1][0], other[1][1]);
      return;
    }
    view.x += x - last[0];
    view.y += y - last[1];
    hide();
    redraw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      canvas.classList.remove("moving");
      if (name === "pointerup") hover(...at(event));
    });
  }
  canvas.addEventListener("pointerleave", () => {
    hide();
    redraw();
  });
  canvas.addEventListener("wheel", (event) => {
    // At its smallest the map lets the page scroll on.
    if (zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...at(event))) event.preventDefault();
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoomAt(2, ...at(event)));
  canvas.addEventListener("keydown", (event) => {
    const shifts = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    const shift = shifts[event.key];
    if (shift) {
      view.x += shift[0];
      view.y += shift[1];
      hide();
      redraw();
    } else if (event.key === "+" || event.key === "=") zoomAt(1.5, size.width / 2, size.height / 2);
    else if (event.key === "-") zoomAt(1 / 1.5, size.width / 2, size.height / 2);
    else if (event.key === "0" || event.key === "Escape") showAll();
    else return;
    event.preventDefault();
  });
  holder.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.zoom) return Number(button.dataset.zoom) ? zoomAt(Number(button.dataset.zoom), size.width / 2, size.height / 2) : showAll();
    const toggles = [...holder.querySelectorAll("[data-label]")];
    const chosen = button.dataset.all === undefined ? [button] : toggles;
    for (const toggle of chosen) {
      const on = button.dataset.all === undefined ? toggle.getAttribute("aria-pressed") === "false" : Boolean(button.dataset.all);
      toggle.setAttribute("aria-pressed", String(on));
      hidden[on ? "delete" : "add"](Number(toggle.dataset.label));
    }
    hide();
    redraw();
  });
  holder.addEventListener("change", (event) => {
    if (event.target.name === "row") move(data.places[Number(event.target.value)]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    loadSheet();
    draw();
  });
  new ResizeObserver(resize).observe(canvas);

  readColours();
  loadSheet();
  // A browser may remember another choice over a reload.
  const chosen = holder.querySelector("input[name=row]:checked");
  if (chosen) places = Float32Array.from(data.places[Number(chosen.value)]);
})();
