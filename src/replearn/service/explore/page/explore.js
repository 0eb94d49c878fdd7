"use strict";
// A map of samples: points on a canvas, what lies under them, and labels by clicking. Texts from data are only ever
// set as textContent; all that is shown is asked of the server that the page came from.
(() => {
  const byId = (id) => document.getElementById(id);
  const FAST = 8000; // points from which they are squares written into pixels
  const MOST = 200; // samples that are listed
  const SLOTS = 10; // colours of classes; further classes use them again
  // cividis (Nuñez, Anderton & Renslow 2018): told alike with and without colour blindness.
  const RAMP = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const state = {
    data: null, n: 0, maps: [], colour: null, hidden: new Set(), palette: [], tool: "move",
    hovered: -1, opened: -1, selected: new Set(), labels: null, slots: new Map(), cards: new Map(), from: null,
  };

  // --- the server ---------------------------------------------------------------------------------------------

  async function ask(path, body) {
    const headers = {};
    const token = sessionStorage.getItem("token");
    if (token) headers.Authorization = `Bearer ${token}`;
    const how = { headers };
    if (body !== undefined) {
      how.method = "POST";
      how.body = JSON.stringify(body);
      headers["Content-Type"] = "application/json";
    }
    let answer;
    try {
      answer = await fetch(path, how);
    } catch {
      throw new Error("The server does not answer: was it stopped? Start it again, then reload this page.");
    }
    if (answer.ok) return answer.headers.get("Content-Type").startsWith("text/csv") ? answer.text() : answer.json();
    const told = await answer.json().catch(() => ({ error: `status ${answer.status}` }));
    if (answer.status === 401) lock();
    throw new Error(answer.status === 401 ? (token ? "That token is none of those that the server knows." : "") : told.error);
  }

  function lock() {
    document.body.dataset.locked = "yes";
    document.querySelector("h1").textContent = "A map behind a token";
    byId("token").hidden = false;
    byId("token").querySelector("input").focus();
  }

  function tell(error) {
    const box = byId("error");
    box.textContent = error ? error.message : "";
    box.hidden = !box.textContent;
  }

  const guarded = (work) => async (...args) => {
    try {
      tell(null);
      return await work(...args);
    } catch (error) {
      tell(error);
    }
  };

  const numbers = (text, Kind) => new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);

  // --- elements -----------------------------------------------------------------------------------------------

  function make(tag, attributes = {}, ...inside) {
    const found = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) found.setAttribute(name, value === true ? "" : value);
    }
    found.append(...inside.filter((one) => one !== null && one !== undefined));
    return found;
  }

  // --- colours ------------------------------------------------------------------------------------------------

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const pen = document.createElement("canvas").getContext("2d");
    const read = (name) => {
      pen.fillStyle = style.getPropertyValue(name).trim();
      return pen.fillStyle; // as #rrggbb
    };
    state.palette = Array.from({ length: SLOTS }, (_, i) => read(`--c${i}`));
    state.none = read("--none");
    state.ink = read("--ink");
    state.panel = read("--panel");
  }

  function slotOf(name) { // a class keeps its colour while others come
    if (!state.slots.has(name)) state.slots.set(name, state.slots.size % SLOTS);
    return state.slots.get(name);
  }

  function rampColour(share) {
    const at = Math.min(0.99999, Math.max(0, share)) * (RAMP.length - 1), low = Math.floor(at);
    const mixed = RAMP[low].map((value, i) => Math.round(value + (RAMP[low + 1][i] - value) * (at - low)));
    return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  }

  // The colours that there are: columns of the data, and clicked labels.
  function colours() {
    const found = state.data.colours.map((one) => ({
      ...one, values: one.numbers || (one.numbers = numbers(one.values, one.classes ? Int32Array : Float32Array)),
    }));
    if (state.labels) found.unshift({ name: "labels that you gave", classes: state.labels.classes, values: state.labels.values, clicked: true });
    return found;
  }

  function setColour(name) {
    const all = colours();
    const found = all.find((one) => one.name === name) || all[0] || null;
    if (!state.colour || !found || state.colour.name !== found.name) state.hidden.clear();
    state.colour = found;
    const slots = found && found.classes ? found.classes.map((name, i) => (found.clicked ? slotOf(name) : i % SLOTS)) : [];
    const shades = Array.from({ length: 64 }, (_, i) => rampColour(i / 63));
    state.tints = [...new Set([state.none, ...state.palette, ...shades])];
    const place = new Map(state.tints.map((tint, i) => [tint, i]));
    state.tint = new Uint8Array(state.n); // of each point, among the tints
    state.shown = new Uint8Array(state.n).fill(1);
    for (let i = 0; i < state.n; i++) {
      const value = found ? found.values[i] : -1;
      let tint = state.none;
      if (found && found.classes && value >= 0) tint = state.palette[slots[value]];
      if (found && !found.classes && value >= 0) tint = shades[Math.round(value * 63)];
      state.tint[i] = place.get(tint);
      if (found && found.classes && state.hidden.has(value)) state.shown[i] = 0;
    }
    drawLegend(slots);
    redraw();
  }

  // A button that lists the samples where an amount is least or largest.
  function ends(told, sign) {
    const { name, values } = state.colour;
    const found = () => [...values.keys()].filter((i) => values[i] >= 0).sort((a, b) => sign * (values[a] - values[b])).slice(0, MOST);
    return make("button", { type: "button", onclick: () => {
      const positions = found();
      state.marked = positions.slice(0, 20);
      redraw();
      list(`${name}: ${told}`, positions, `The ${positions.length.toLocaleString("en")} samples where it is ${told}, in order.`);
    } }, `List the ${told}`);
  }

  function drawLegend(slots) {
    const box = byId("legend"), colour = state.colour;
    box.replaceChildren();
    if (!colour) return;
    if (!colour.classes) {
      const ramp = make("div", { class: "ramp" });
      ramp.style.background = `linear-gradient(to right, ${RAMP.map((one) => `rgb(${one.join()})`).join()})`;
      const told = (value) => Number(value.toPrecision(3)).toLocaleString("en");
      box.append(make("p", { class: "legend-title" }, colour.name), ramp,
        make("div", { class: "ends" }, make("span", {}, told(colour.low)), make("span", {}, told(colour.high))),
        make("p", { class: "doing" }, ends("lowest", 1), ends("highest", -1)));
      return;
    }
    const counts = new Map();
    for (const value of colour.values) counts.set(value, (counts.get(value) || 0) + 1);
    const rows = [...colour.classes.keys(), -1].filter((value) => counts.has(value)).map((value) => {
      const swatch = make("span", { class: `swatch ${value < 0 ? "c-none" : `c${slots[value]}`}` });
      return make("button", {
        type: "button", "aria-pressed": String(!state.hidden.has(value)), title: "show or hide",
        onclick: () => {
          state.hidden[state.hidden.has(value) ? "delete" : "add"](value);
          setColour(colour.name);
          focusLegend(value);
        }, "data-value": value,
      }, swatch, make("bdi", {}, value < 0 ? "none" : colour.classes[value]), make("span", { class: "count" }, counts.get(value).toLocaleString("en")));
    });
    const all = (on) => make("button", {
      type: "button", onclick: () => {
        state.hidden = on ? new Set() : new Set(counts.keys());
        setColour(colour.name);
      },
    }, on ? "all" : "none");
    const again = colour.classes.length > SLOTS ? make("p", { class: "note" }, `${colour.classes.length} classes share ${SLOTS} colours.`) : null;
    box.append(make("p", { class: "legend-title" }, `${colour.name} `, all(true), " ", all(false)), make("div", { class: "legend" }, ...rows));
    if (again) box.append(again);
  }

  function focusLegend(value) {
    const button = byId("legend").querySelector(`[data-value="${value}"]`);
    if (button) button.focus();
  }

  // --- maps ---------------------------------------------------------------------------------------------------

  class Map2 {
    constructor(data, many) {
      this.xy = numbers(data.xy, Float32Array);
      this.view = { zoom: 1, x: 0, y: 0 }; // shift in pixels from the centre
      this.size = { width: 1, height: 1, ratio: 1 };
      this.canvas = make("canvas", { tabindex: 0, role: "application", "aria-label": `Map of ${state.n} samples${many ? ` by ${data.title}` : ""}. Arrow keys go from point to point.` });
      this.context = this.canvas.getContext("2d");
      this.tip = make("div", { class: "tip", hidden: true });
      const zooms = [["+", "closer", 1.5], ["−", "farther", 1 / 1.5], ["⌂", "show all", 0]].map(([sign, told, factor]) =>
        make("button", { type: "button", "aria-label": told, title: told, onclick: () => (factor ? this.zoomAt(factor) : this.showAll()) }, sign));
      this.element = make("figure", {}, many ? make("figcaption", {}, data.title) : null,
        make("div", { class: "canvas" }, this.canvas, make("div", { class: "zoom" }, ...zooms), this.tip));
      this.listen();
      new ResizeObserver(() => this.resize()).observe(this.canvas);
    }

    resize() {
      const box = this.canvas.getBoundingClientRect();
      this.size = { width: box.width, height: box.height, ratio: window.devicePixelRatio || 1 };
      this.canvas.width = Math.max(1, Math.round(box.width * this.size.ratio));
      this.canvas.height = Math.max(1, Math.round(box.height * this.size.ratio));
      this.draw();
    }

    // Both axes have one scale, so that shapes stay.
    get radius() { return 0.47 * Math.min(this.size.width, this.size.height); }
    screenX(i) { return this.size.width / 2 + this.view.x + this.xy[2 * i] * this.radius * this.view.zoom; }
    screenY(i) { return this.size.height / 2 + this.view.y - this.xy[2 * i + 1] * this.radius * this.view.zoom; }
    get dot() {
      const room = (0.9 * this.radius) / Math.sqrt(Math.max(60, state.n));
      return Math.min(14, Math.max(2, room) * Math.pow(this.view.zoom, 0.4));
    }

    draw() {
      const { width, height, ratio } = this.size, context = this.context, dot = this.dot;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      if (!state.tint) return;
      if (state.n > FAST) this.drawSquares(dot);
      else this.drawDots(dot);
      context.lineWidth = 2;
      context.strokeStyle = state.ink;
      if (state.selected.size && state.selected.size <= 3000) for (const i of state.selected) this.ring(i, dot / 2 + 1.5, 1.5);
      for (const i of state.marked || []) this.ring(i, dot / 2 + 3, 1);
      if (state.opened >= 0) this.ring(state.opened, dot / 2 + 5, 3);
      if (state.hovered >= 0) this.ring(state.hovered, dot / 2 + 4, 2);
      if (this.path) this.drawPath();
    }

    ring(i, radius, width) {
      this.context.lineWidth = width;
      this.context.beginPath();
      this.context.arc(this.screenX(i), this.screenY(i), radius, 0, 2 * Math.PI);
      this.context.stroke();
    }

    drawDots(dot) {
      const context = this.context, { width, height } = this.size;
      context.globalAlpha = 0.85;
      for (let i = 0; i < state.n; i++) {
        if (!state.shown[i]) continue;
        const x = this.screenX(i), y = this.screenY(i);
        if (x < -dot || y < -dot || x > width + dot || y > height + dot) continue;
        context.fillStyle = state.tints[state.tint[i]];
        context.beginPath();
        context.arc(x, y, dot / 2, 0, 2 * Math.PI);
        context.fill();
      }
      context.globalAlpha = 1;
    }

    // Pixels are written as they are: a hundred thousand points take some milliseconds.
    drawSquares(dot) {
      const { canvas, context } = this, { ratio } = this.size;
      const picture = context.createImageData(canvas.width, canvas.height);
      const pixels = new Uint32Array(picture.data.buffer), wide = canvas.width, high = canvas.height;
      const words = state.tints.map((tint) => {
        const value = parseInt(tint.slice(1), 16);
        return (0xff000000 | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
      });
      const side = Math.max(1, Math.round(dot * ratio)), half = side / 2;
      const many = state.selected.size > 3000 ? state.selected : null;
      const ink = parseInt(state.ink.slice(1), 16);
      const dark = (0xff000000 | ((ink & 255) << 16) | (ink & 0xff00) | (ink >> 16)) >>> 0;
      for (let i = 0; i < state.n; i++) {
        if (!state.shown[i]) continue;
        const left = Math.round(this.screenX(i) * ratio - half), top = Math.round(this.screenY(i) * ratio - half);
        if (left < 0 || top < 0 || left + side > wide || top + side > high) continue;
        const word = many && many.has(i) ? dark : words[state.tint[i]];
        for (let y = top; y < top + side; y++) pixels.fill(word, y * wide + left, y * wide + left + side);
      }
      context.putImageData(picture, 0, 0);
    }

    drawPath() {
      const context = this.context;
      context.lineWidth = 1.5;
      context.strokeStyle = state.ink;
      context.setLineDash([5, 4]);
      context.beginPath();
      for (const [x, y] of this.outline()) context.lineTo(x, y);
      context.closePath();
      context.stroke();
      context.setLineDash([]);
    }

    outline() {
      if (state.tool === "lasso") return this.path;
      const [a, b] = [this.path[0], this.path[this.path.length - 1]];
      return [a, [b[0], a[1]], b, [a[0], b[1]]];
    }

    zoomAt(factor, x = this.size.width / 2, y = this.size.height / 2) {
      const zoom = Math.min(200, Math.max(1, this.view.zoom * factor));
      if (zoom === this.view.zoom) return false;
      const rate = zoom / this.view.zoom;
      this.view.x = x - this.size.width / 2 - (x - this.size.width / 2 - this.view.x) * rate;
      this.view.y = y - this.size.height / 2 - (y - this.size.height / 2 - this.view.y) * rate;
      this.view.zoom = zoom;
      if (zoom === 1) this.view.x = this.view.y = 0;
      hover(-1);
      return true;
    }

    showAll() {
      this.view = { zoom: 1, x: 0, y: 0 };
      hover(-1);
    }

    // Moves the map so that a point can be seen.
    reveal(i) {
      const x = this.screenX(i), y = this.screenY(i), edge = 24;
      if (x < edge || x > this.size.width - edge) this.view.x += this.size.width / 2 - x;
      if (y < edge || y > this.size.height - edge) this.view.y += this.size.height / 2 - y;
    }

    nearest(x, y) {
      let best = -1, least = Math.max(10, 0.8 * this.dot) ** 2;
      for (let i = 0; i < state.n; i++) {
        if (!state.shown[i]) continue;
        const distance = (this.screenX(i) - x) ** 2 + (this.screenY(i) - y) ** 2;
        if (distance < least) [best, least] = [i, distance];
      }
      return best;
    }

    // The nearest point in a direction, within 45 degrees of it; equal places one after the other.
    step(from, right, up) {
      let best = -1, least = Infinity;
      const x = this.xy[2 * from], y = this.xy[2 * from + 1];
      for (let i = 0; i < state.n; i++) {
        if (i === from || !state.shown[i]) continue;
        const dx = this.xy[2 * i] - x, dy = this.xy[2 * i + 1] - y;
        const along = dx * right + dy * up, aside = Math.abs(dx * up) + Math.abs(dy * right);
        if (along <= 0 || aside > along) continue;
        const distance = along * along + 3 * aside * aside;
        if (distance < least) [best, least] = [i, distance];
      }
      return best;
    }

    middle() {
      let best = -1, least = Infinity;
      for (let i = 0; i < state.n; i++) {
        if (!state.shown[i]) continue;
        const distance = (this.screenX(i) - this.size.width / 2) ** 2 + (this.screenY(i) - this.size.height / 2) ** 2;
        if (distance < least) [best, least] = [i, distance];
      }
      return best;
    }

    inside() {
      const outline = this.outline(), found = [];
      for (let i = 0; i < state.n; i++) {
        if (state.shown[i] && within(outline, this.screenX(i), this.screenY(i))) found.push(i);
      }
      return found;
    }

    at(event) {
      const box = this.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }

    listen() {
      const { canvas } = this, fingers = new Map();
      let moved = 0;
      canvas.addEventListener("pointerdown", (event) => {
        fingers.set(event.pointerId, this.at(event));
        canvas.setPointerCapture(event.pointerId);
        moved = 0;
        if (state.tool !== "move" && fingers.size === 1) this.path = [this.at(event)];
      });
      canvas.addEventListener("pointermove", (event) => {
        const [x, y] = this.at(event), last = fingers.get(event.pointerId);
        if (!last) return hover(this.nearest(x, y), this);
        moved += Math.hypot(x - last[0], y - last[1]);
        fingers.set(event.pointerId, [x, y]);
        const other = [...fingers].find(([id]) => id !== event.pointerId);
        if (other) {
          this.path = null;
          const span = (point) => Math.hypot(point[0] - other[1][0], point[1] - other[1][1]);
          this.zoomAt(span([x, y]) / Math.max(1, span(last)), ...other[1]);
          return;
        }
        if (this.path) this.path.push([x, y]);
        else {
          canvas.classList.add("moving");
          this.view.x += x - last[0];
          this.view.y += y - last[1];
        }
        hover(-1);
      });
      canvas.addEventListener("pointerup", (event) => {
        fingers.delete(event.pointerId);
        canvas.classList.remove("moving");
        const path = this.path;
        if (path && moved > 6) {
          const found = this.inside();
          this.path = null;
          select(found, event.shiftKey);
        } else if (moved <= 6) {
          this.path = null;
          const found = this.nearest(...this.at(event));
          if (found >= 0 && event.shiftKey) toggle(found);
          else if (found >= 0) open(found);
        }
        this.path = null;
        redraw();
      });
      canvas.addEventListener("pointercancel", (event) => {
        fingers.delete(event.pointerId);
        this.path = null;
        redraw();
      });
      canvas.addEventListener("pointerleave", () => hover(-1));
      canvas.addEventListener("blur", () => hover(-1));
      canvas.addEventListener("wheel", (event) => {
        // At its smallest the map lets the page scroll on.
        if (this.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...this.at(event))) event.preventDefault();
      }, { passive: false });
      canvas.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      const way = ways[event.key];
      if (way) {
        const from = state.hovered >= 0 ? state.hovered : state.opened;
        const to = from < 0 ? this.middle() : this.step(from, ...way);
        if (to >= 0) {
          this.reveal(to);
          hover(to, this, true);
        }
      } else if (event.key === "Enter" && state.hovered >= 0) open(state.hovered);
      else if (event.key === " " && state.hovered >= 0) toggle(state.hovered);
      else if (event.key === "+" || event.key === "=") this.zoomAt(1.5);
      else if (event.key === "-") this.zoomAt(1 / 1.5);
      else if (event.key === "0") this.showAll();
      else if (state.labels && /^[1-9]$/.test(event.key) && allClasses()[event.key - 1] !== undefined) assign(allClasses()[event.key - 1]);
      else if (event.key === "Escape") {
        if (state.opened >= 0) close();
        else if (state.selected.size) select([]);
        else this.showAll();
      } else return;
      event.preventDefault();
    }

    async showTip(i) {
      const { tip } = this;
      const card = await cardOf(i);
      if (state.hovered !== i) return;
      const words = make("div", { class: "words" }, make("strong", {}, card.told || ""), make("span", {}, card.name));
      for (const name of ["text", "gone"]) if (card[name]) words.append(make("span", {}, card[name]));
      tip.replaceChildren(...(card.picture ? [make("img", { src: card.picture, alt: "" })] : []), words);
      tip.hidden = false;
      const x = this.screenX(i), y = this.screenY(i), gap = 14 + this.dot / 2;
      const { width, height } = this.size;
      tip.style.left = `${x + gap + tip.offsetWidth > width ? Math.max(0, x - gap - tip.offsetWidth) : x + gap}px`;
      tip.style.top = `${Math.max(0, Math.min(height - tip.offsetHeight, y - tip.offsetHeight / 2))}px`;
    }
  }

  function within(outline, x, y) {
    let found = false;
    for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
      const [ax, ay] = outline[i], [bx, by] = outline[j];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) found = !found;
    }
    return found;
  }

  let waiting = false;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      state.maps.forEach((map) => map.draw());
    });
  }

  // --- samples ------------------------------------------------------------------------------------------------

  async function cardOf(i) {
    if (!state.cards.has(i)) {
      if (state.cards.size > 2000) state.cards.clear();
      state.cards.set(i, ask("/samples", { positions: [i] }).then((found) => found.samples[0]));
      state.cards.get(i).catch(() => state.cards.delete(i));
    }
    return state.cards.get(i);
  }

  let soon = 0;
  function hover(i, map = null, said = false) {
    if (i === state.hovered && i >= 0) return;
    state.hovered = i;
    state.maps.forEach((one) => { one.tip.hidden = true; });
    redraw();
    clearTimeout(soon);
    if (i < 0 || !map) return;
    soon = setTimeout(guarded(async () => {
      await map.showTip(i);
      if (!said || state.hovered !== i) return;
      const card = await cardOf(i);
      byId("status").textContent = [card.name, card.told, card.text].filter(Boolean).join(", ");
    }), said ? 0 : 30);
  }

  // A list of samples as buttons.
  function cards(samples) {
    const rows = samples.some((one) => !one.picture);
    return make("ol", { class: rows ? "cards rows" : "cards" }, ...samples.map((one) => {
      const cosine = one.cosine === undefined ? "" : one.cosine.toFixed(2);
      return make("li", {}, make("button", {
        type: "button", title: one.name, class: one.shared === false ? "other" : null,
        onclick: () => open(one.position), onmouseenter: () => hover(one.position), onfocus: () => hover(one.position),
      }, one.picture ? make("img", { src: one.picture, alt: one.name }) : null,
      rows ? make("span", {}, one.text || one.gone || one.name) : null,
      ...[one.told, cosine].filter(Boolean).map((told) => make("span", { class: "under", title: told }, told))));
    }));
  }

  const open = guarded(async (i) => {
    state.opened = i;
    state.marked = [];
    redraw();
    const [whole, near] = await Promise.all([ask(`/samples/${i}`), ask(`/neighbours/${i}`)]);
    if (state.opened !== i) return;
    history.replaceState(null, "", `#${i}`);
    state.marked = near.neighbours.map((one) => one.position);
    state.maps.forEach((map) => map.reveal(i));
    const box = byId("opened"), values = make("dl");
    for (const [name, value] of whole.values) values.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    const inside = make("div", { class: "whole" }, whole.picture ? make("img", { src: whole.picture, alt: whole.name }) : null, values);
    if (whole.sound) inside.append(make("audio", { controls: true, src: whole.sound }));
    for (const name of ["text", "gone"]) if (whole[name]) inside.append(make("p", { class: "words-of", tabindex: 0 }, whole[name]));
    const lists = [make("h3", {}, near.beside ? `Nearest by ${state.data.maps[0].title}` : "Nearest, by cosine"), cards(near.neighbours)];
    if (near.beside) {
      const same = near.neighbours.filter((one) => one.shared).length;
      lists.push(make("h3", {}, `Nearest by ${state.data.maps[1].title}`), cards(near.beside),
        make("p", { class: "note" }, `${same} of ${near.neighbours.length} are the same; others are dashed.`));
    }
    box.replaceChildren(make("div", { class: "head" }, make("h2", {}, whole.name),
      make("button", { type: "button", "aria-label": "close", onclick: close }, "✕")), inside, ...lists);
    box.hidden = false;
    drawLabels();
    redraw();
  });

  function close() {
    state.opened = -1;
    state.marked = [];
    byId("opened").hidden = true;
    history.replaceState(null, "", location.pathname);
    drawLabels();
    redraw();
  }

  // --- selections ---------------------------------------------------------------------------------------------

  const list = guarded(async (title, positions, told = "", shown = null) => {
    const box = byId("listed");
    if (!positions.length && !told) {
      box.hidden = true;
      return;
    }
    const samples = shown || (positions.length ? (await ask("/samples", { positions: positions.slice(0, MOST) })).samples : []);
    const doing = positions.length ? make("div", { class: "doing" },
      make("button", { type: "button", onclick: () => save(positions) }, "Save as CSV"),
      make("button", { type: "button", onclick: () => select([]) }, "Clear")) : null;
    box.replaceChildren(make("h2", {}, title), told ? make("p", { class: "note" }, told) : "", doing || "", cards(samples),
      positions.length > samples.length ? make("p", { class: "note" }, `Listed are ${samples.length} of ${positions.length.toLocaleString("en")}; the CSV has all.`) : "");
    box.hidden = false;
  });

  function select(found, more = false) {
    state.selected = new Set(more ? [...state.selected, ...found] : found);
    drawLabels();
    redraw();
    const count = state.selected.size;
    byId("status").textContent = `${count} selected`;
    return list(`${count.toLocaleString("en")} selected`, [...state.selected]);
  }

  function toggle(i) {
    const found = new Set(state.selected);
    found[found.has(i) ? "delete" : "add"](i);
    select([...found]);
  }

  const save = guarded(async (positions) => {
    const text = await ask("/export", { positions });
    const link = make("a", { download: "selection.csv", href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

  const search = guarded(async (asked) => {
    const found = await ask(`/search?q=${encodeURIComponent(asked)}`);
    const words = `${found.found.toLocaleString("en")} with “${asked}” in the name or text`;
    const more = found.found > found.positions.length ? `; the first ${found.positions.length} are selected` : "";
    state.selected = new Set(found.meant && !found.positions.length ? found.meant.map((one) => one.position) : found.positions);
    drawLabels();
    redraw();
    await list(words + more, found.positions, found.found ? "" : "none");
    if (found.meant) {
      byId("listed").prepend(make("h2", {}, `Nearest to “${asked}” by the representation`),
        cards(found.meant));
    }
  });

  // --- labels -------------------------------------------------------------------------------------------------

  // Whom a class is given to: what is selected, else what is opened.
  const asked = () => (state.selected.size ? [...state.selected] : state.opened >= 0 ? [state.opened] : []);

  function setLabels(found) {
    state.labels = { classes: found.classes, counts: found.counts, values: numbers(found.values, Int32Array) };
    found.classes.forEach(slotOf);
    drawSelect();
    setColour(state.colour ? state.colour.name : undefined);
    drawLabels();
  }

  const assign = guarded(async (label) => {
    const positions = asked();
    if (!positions.length) throw new Error("Open a sample, or select some, then choose their class.");
    const first = !state.labels.classes.length;
    setLabels(await ask("/labels", { positions, label }));
    if (first) {
      setColour(colours()[0].name);
      drawSelect();
    }
    byId("status").textContent = `${positions.length} labelled ${label === null ? "none" : label}; saved`;
  });

  const own = []; // classes that were typed and have no sample yet
  const allClasses = () => [...state.labels.classes, ...own.filter((name) => !state.labels.classes.includes(name))];

  function drawLabels() {
    if (!state.labels) return;
    const { classes, counts, values } = state.labels, all = allClasses();
    const positions = asked();
    const given = positions.length === 1 && values[positions[0]] >= 0 ? classes[values[positions[0]]] : null;
    const whom = positions.length > 1 ? `the ${positions.length.toLocaleString("en")} selected` : positions.length ? "the sample" : "a sample (open one, or select some)";
    const done = counts.reduce((sum, one) => sum + one, 0);
    byId("labelled").textContent = `${done.toLocaleString("en")} of ${state.n.toLocaleString("en")} labelled. A class below is given to ${whom} and saved at once.`;
    byId("classes").replaceChildren(...all.map((name, i) => make("button", { type: "button", "aria-pressed": String(name === given), title: i < 9 ? `key ${i + 1} on the map` : null, onclick: () => assign(name) },
      make("span", { class: `swatch c${slotOf(name)}` }), make("bdi", {}, name), make("span", { class: "count" }, i < counts.length ? counts[i].toLocaleString("en") : "0"))),
    classes.length ? make("button", { type: "button", onclick: () => assign(null) }, "no label") : "");
  }

  const next = guarded(async () => {
    const found = await ask("/next", { count: 12 });
    const positions = found.samples.map((one) => one.position);
    state.selected = new Set();
    state.marked = positions;
    drawLabels();
    redraw();
    await list("Label these next", positions, found.told, found.samples);
  });

  // --- the page -----------------------------------------------------------------------------------------------

  function drawSelect() {
    const select = byId("colour"), now = state.colour ? state.colour.name : null;
    const all = colours();
    select.replaceChildren(...all.map((one) => make("option", { value: one.name, selected: one.name === now }, one.name)));
    select.parentElement.hidden = !all.length;
  }

  const start = guarded(async () => {
    const data = await ask("/map");
    Object.assign(state, { data, n: data.n });
    document.title = `${data.title} · replearn explore`;
    document.querySelector("h1").textContent = data.title;
    document.querySelector("summary").textContent = `${data.n.toLocaleString("en")} samples. How they were placed`;
    byId("told").replaceChildren(...data.told.map((line) => make("p", {}, line)));
    byId("token").hidden = true;
    delete document.body.dataset.locked;
    readColours();
    const many = data.maps.length > 1;
    state.maps = data.maps.map((one) => new Map2(one, many));
    byId("maps").classList.toggle("two", many);
    byId("maps").replaceChildren(...state.maps.map((map) => map.element));
    if (data.labelling) {
      byId("labelling").hidden = byId("labelkeys").hidden = false;
      setLabels(await ask("/labels"));
    }
    setColour(data.labelling && state.labels.counts.length ? undefined : (data.colours[0] || {}).name);
    drawSelect();
    const wanted = Number(location.hash.slice(1));
    if (/^#\d+$/.test(location.hash) && wanted < data.n) await open(wanted);
    document.body.dataset.ready = "yes";
  });

  byId("colour").addEventListener("change", (event) => setColour(event.target.value));
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = event.target.querySelector("input").value.trim();
    if (text) search(text);
  });
  byId("new").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = byId("class").value.trim();
    if (!name) return;
    own.push(name);
    byId("class").value = "";
    if (asked().length) assign(name);
    drawLabels();
  });
  byId("next").addEventListener("click", next);
  byId("token").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem("token", event.target.querySelector("input").value.trim());
    start();
  });
  document.querySelector(".tools").addEventListener("click", (event) => {
    const button = event.target.closest("[data-tool]");
    if (!button) return;
    state.tool = button.dataset.tool;
    for (const one of document.querySelectorAll("[data-tool]")) one.setAttribute("aria-pressed", String(one === button));
    for (const map of state.maps) for (const name of ["box", "lasso"]) map.canvas.classList.toggle(name, state.tool === name);
  });
  // What another page labelled meanwhile.
  const refresh = guarded(async () => { if (state.labels && !document.hidden) setLabels(await ask("/labels")); });
  addEventListener("focus", refresh);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    if (state.data) setColour(state.colour ? state.colour.name : undefined);
  });
  start();
})();
