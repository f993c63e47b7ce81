// The picture viewer of Case, board and box drawing. Boxes, points and lengths are in pixels of the frame; pixels never go back.
const YELLOW = "#FFD400", BLUE = "#56B4E9", LEAST = 4, MARGIN = 14, RULER = 46;
const SHIFT = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// How heat maps are looked at: it holds for every view and every patient, until the page is loaded anew.
const shared = { heat: true, beside: false, opacity: null };
const views = new WeakMap(), wide = matchMedia("(min-width: 1600px)");

export default function ({ parentElement, data, setTriggerValue }) {
  if (!views.has(parentElement)) views.set(parentElement, new Viewer(parentElement));
  const view = views.get(parentElement);
  view.tell = setTriggerValue;
  view.show(data);
  return () => { view.close(); views.delete(parentElement); };
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

class Viewer {
  constructor(root) {
    this.root = root.querySelector(".viewer");
    this.find = (selector) => this.root.querySelector(selector);
    this.tool = "box"; this.later = 0; this.zoom = 1; this.level = 0.5; this.width = 1; this.data = {};
    this.stage = new Konva.Stage({ container: this.find(".stage"), width: 10, height: 10 });
    const layer = new Konva.Layer({ imageSmoothingEnabled: true });
    this.pane = new Konva.Group();
    this.content = new Konva.Group();
    this.original = new Konva.Image({ listening: false });
    this.frame = new Konva.Image({ listening: false });
    this.overlay = new Konva.Image({ listening: false });
    this.marks = new Konva.Group({ listening: false });
    this.box = new Konva.Rect({ name: "box", stroke: YELLOW, strokeWidth: 2, strokeScaleEnabled: false, shadowColor: "#000", shadowBlur: 2 });
    this.handles = new Konva.Transformer({
      nodes: [this.box], rotateEnabled: false, keepRatio: false, flipEnabled: false, ignoreStroke: true, borderEnabled: false,
      anchorFill: YELLOW, anchorStroke: "#000", anchorSize: matchMedia("(pointer: coarse)").matches ? 20 : 11,
    });
    this.ruler = new Konva.Group({ listening: false });
    this.content.add(this.frame, this.overlay, this.marks, this.box);
    this.pane.add(this.content, this.handles);
    layer.add(this.original, this.pane, this.ruler);
    this.stage.add(layer);
    this.listen();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.find(".stage"));
  }

  close() { clearTimeout(this.later); this.sizes.disconnect(); document.removeEventListener("keydown", this.keys); document.removeEventListener("pointerdown", this.hands, true); this.stage.destroy(); }

  // What Python says

  show(data) {
    const before = this.data;
    if (before.src !== data.src) this.drop();
    this.told = data.box;
    this.data = this.later ? { ...data, box: before.box } : data;
    this.root.style.setProperty("--viewer-height", data.viewHeight);
    this.root.style.setProperty("--viewer-ratio", data.height / data.width);
    this.root.setAttribute("aria-label", data.alt);
    if (before.src !== data.src) this.load(data.src);
    if (before.overlay?.src !== data.overlay?.src) this.loadOverlay(data.overlay);
    if (!same(before.box, this.data.box)) { this.place(this.data.box); this.corner = null; }
    if (data.said) this.say(data.said);
    if (!data.editable && this.tool === "box") this.tool = "pan";
    if (data.editable && !before.editable) this.tool = "box";
    this.draw();
    if (this.source && this.zoom === 1 && (this.top !== this.find(".tools").offsetHeight + 12 || !same(before.overlay?.legend, data.overlay?.legend))) this.refit();
  }

  load(src) {
    const image = new Image();
    image.onload = () => { this.source = image; this.fit(); };
    image.src = src;
  }

  loadOverlay(overlay) {
    this.overlay.image(null);
    if (!overlay) return;
    const image = new Image();
    image.onload = () => {
      const [x0, y0, x1, y1] = overlay.area;
      this.overlay.setAttrs({ image, x: x0, y: y0, width: x1 - x0, height: y1 - y0 });
      this.draw();
    };
    image.src = overlay.src;
    this.find("input").value = shared.opacity ?? Math.round(100 * overlay.opacity);
  }

  // What is drawn

  resize() {
    const { clientWidth, clientHeight } = this.find(".stage");
    if (!clientWidth || !clientHeight) return;
    this.stage.size({ width: clientWidth, height: clientHeight });
    if (this.source) this.fit(this.zoom !== 1);
  }

  fit(keep = false) {
    this.find(".legend").hidden = !this.data.overlay || !shared.heat;
    if (this.data.overlay) this.find(".legend span").textContent = this.data.overlay.legend;
    const half = this.half(), across = this.stage.width() - half - 2 * MARGIN - (this.data.mmPerPx ? RULER : 0), top = this.find(".tools").offsetHeight + 12;
    const legend = this.data.overlay && shared.heat ? this.find(".legend").offsetHeight + 12 : 0;
    const down = this.stage.height() - top - Math.max(MARGIN, legend);
    this.top = top;
    this.base = Math.min(across / this.data.width, down / this.data.height);
    if (!keep) {
      this.zoom = 1; this.level = 0.5; this.width = 1;
      this.content.scale({ x: this.base, y: this.base });
      this.content.position({ x: half + MARGIN + (across - this.base * this.data.width) / 2, y: top + (down - this.base * this.data.height) / 2 });
    }
    this.grey();
    this.draw();
  }

  // How much of the stage the original takes, on the left of what lies under the heat map.
  half() { return shared.beside && shared.heat && this.data.overlay && wide.matches ? this.stage.width() / 2 : 0; }

  drawOriginal() {
    const half = this.half(), { x, y } = this.content.position(), scale = this.content.scaleX();
    const tools = this.find(".tools").offsetHeight;
    this.pane.clip({ x: half, y: tools, width: this.stage.width() - half, height: this.stage.height() - tools });
    const crop = Math.min(this.data.width, (half - (x - half)) / scale); // no further than the middle
    this.original.visible(half > 0 && crop > 0).setAttrs({ image: this.frame.image(), x: x - half, y, width: crop * scale, height: this.data.height * scale });
    if (this.frame.image()) this.original.crop({ x: 0, y: 0, width: crop * this.frame.image().width / this.data.width, height: this.frame.image().height });
  }

  grey() {
    const canvas = document.createElement("canvas");
    canvas.width = this.source.naturalWidth; canvas.height = this.source.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.source, 0, 0);
    if (this.width !== 1 || this.level !== 0.5) {
      const pixels = context.getImageData(0, 0, canvas.width, canvas.height), values = pixels.data;
      const table = Uint8ClampedArray.from({ length: 256 }, (_, v) => 255 * ((v / 255 - this.level) / this.width + 0.5));
      for (let i = 0; i < values.length; i += 4) for (let j = 0; j < 3; j++) values[i + j] = table[values[i + j]];
      context.putImageData(pixels, 0, 0);
    }
    this.frame.setAttrs({ image: canvas, width: this.data.width, height: this.data.height });
  }

  draw() {
    const { data } = this, edits = data.editable && this.tool === "box";
    for (const button of this.root.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", button.dataset.tool === this.tool);
    this.find('[data-tool="box"]').hidden = this.find('[data-do="undo"]').hidden = !data.editable;
    this.find('[data-do="undo"]').disabled = !this.later && !data.undoable;
    const heat = this.find('[data-do="heat"]');
    heat.hidden = this.find("input").hidden = !data.overlay;
    heat.setAttribute("aria-pressed", shared.heat);
    const beside = this.find('[data-do="beside"]');
    beside.hidden = !data.overlay || !shared.heat || !wide.matches;
    beside.setAttribute("aria-pressed", shared.beside);
    this.find(".legend").hidden = !data.overlay || !shared.heat;
    if (data.overlay) {
      this.find(".scale").style.background = data.overlay.scale;
      this.find(".legend span").textContent = data.overlay.legend;
    }
    this.overlay.visible(shared.heat).opacity(this.find("input").value / 100);
    this.box.visible(Boolean(data.box)).draggable(edits);
    this.handles.visible(Boolean(data.box) && edits);
    this.drawOriginal();
    this.drawMarks();
    this.drawRuler();
    this.root.dataset.place = JSON.stringify([this.content.x(), this.content.y(), this.content.scaleX()]);
    this.find(".stage").style.cursor = { box: "crosshair", pan: "grab", window: "ns-resize", length: "crosshair" }[this.tool];
    this.stage.batchDraw();
  }

  drawMarks() {
    this.marks.destroyChildren();
    const line = (points, stroke, more = {}) => {
      const common = { points, strokeScaleEnabled: false, lineJoin: "round", ...more };
      this.marks.add(new Konva.Line({ ...common, stroke: "#000", strokeWidth: 4 }), new Konva.Line({ ...common, stroke, strokeWidth: 2 }));
    };
    for (const outline of this.data.outlines ?? []) line(outline.flat(), BLUE, { closed: true });
    if (this.data.overlay && shared.heat) {
      const [x0, y0, x1, y1] = this.data.overlay.area;
      this.marks.add(new Konva.Rect({ x: x0, y: y0, width: x1 - x0, height: y1 - y0, stroke: "#FFF", strokeWidth: 1, dash: [3, 4], strokeScaleEnabled: false }));
      for (const { label, points } of this.data.overlay.lines) {
        this.marks.add(new Konva.Line({ points, stroke: "#FFF", strokeWidth: 1.5, strokeScaleEnabled: false, dash: label.startsWith("−") ? [2, 3] : [] }));
        const scale = 1 / this.content.scaleX();
        this.marks.add(new Konva.Text({ x: points[0] + 3 * scale, y: points[1] + 2 * scale, text: label, fontSize: this.type(), scaleX: scale, scaleY: scale, fill: "#FFF", shadowColor: "#000", shadowBlur: 3, shadowOpacity: 1 }));
      }
    }
    if (this.measure) line(this.measure.flat(), "#FFF", { lineCap: "round" });
  }

  type() { return 0.9 * parseFloat(getComputedStyle(this.root).fontSize); }

  drawRuler() {
    this.ruler.destroyChildren();
    const scale = this.content.scaleY(), mm = this.data.mmPerPx;
    if (!mm || !this.source) return;
    const step = [1, 2, 5, 10, 20, 50].find((s) => (s / mm) * scale >= 24) ?? 50, x = this.stage.width() - 14;
    const top = this.find(".tools").offsetHeight + 14, bottom = this.stage.height() - 34, gap = (step / mm) * scale;
    const edge = { shadowColor: "#000", shadowBlur: 3, shadowOpacity: 1 };
    this.ruler.add(new Konva.Line({ points: [x, top, x, bottom], stroke: "#B4C2CC", strokeWidth: 2, ...edge }));
    for (let y = top; y <= bottom; y += gap) this.ruler.add(new Konva.Line({ points: [x - 10, y, x, y], stroke: "#B4C2CC", strokeWidth: 1.5, ...edge }));
    this.ruler.add(new Konva.Text({ x: x - 134, y: top - 6, width: 120, align: "right", text: `${step} mm`, fontSize: this.type(), fill: "#E8ECEF", ...edge }));
  }

  say(text) { this.find(".status").textContent = text; this.find(".status").hidden = !text; }

  length(across, down) {
    const pixels = Math.hypot(across, down);
    return this.data.mmPerPx ? `${(pixels * this.data.mmPerPx).toFixed(1)} mm` : `${pixels.toFixed(0)} pixels`;
  }

  // The box

  edges() {
    const { x, y } = this.box.position(), width = this.box.width() * this.box.scaleX(), height = this.box.height() * this.box.scaleY();
    const { width: w, height: h } = this.data;
    return [clamp(x, 0, w), clamp(y, 0, h), clamp(x + width, 0, w), clamp(y + height, 0, h)].map(Math.round);
  }

  place(box) {
    if (!box) return;
    const [x0, y0, x1, y1] = box;
    this.box.setAttrs({ x: x0, y: y0, width: x1 - x0, height: y1 - y0, scaleX: 1, scaleY: 1 });
  }

  // A box that was changed here is told when the hand rests; Python remembers the ones before, whatever changed them.
  keep(box) {
    if (box[2] - box[0] < LEAST || box[3] - box[1] < LEAST) return this.place(this.data.box), this.draw();
    this.data = { ...this.data, box };
    this.place(box);
    this.say(`Box ${this.length(box[2] - box[0], 0)} by ${this.length(0, box[3] - box[1])}`);
    clearTimeout(this.later);
    this.later = setTimeout(() => this.tellBox(), 250);
    this.draw();
  }

  tellBox() {
    if (!this.later) return;
    clearTimeout(this.later);
    this.later = 0;
    this.data.undoable = true;
    const [x0, y0, x1, y1] = this.data.box;
    this.tell("box", { x0, y0, x1, y1 });
  }

  drop() {
    clearTimeout(this.later);
    this.later = 0;
    this.corner = this.measure = null;
    this.say("");
  }

  undo() {
    if (!this.later && this.data.undoable) return this.tell("undo", true);
    if (!this.later) return;
    this.drop();
    this.data = { ...this.data, box: this.told };
    this.place(this.told);
    this.draw();
  }

  turnHeat() {
    shared.heat = !shared.heat;
    if (this.zoom === 1 || shared.beside) this.refit(); else this.draw();
  }

  turnBeside() {
    if (this.find('[data-do="beside"]').hidden) return;
    shared.beside = !shared.beside;
    this.refit();
  }

  // Hands and keys

  at() {
    const { x, y } = this.pointer(), place = this.content.position(), scale = this.content.scaleX();
    return [clamp((x - place.x) / scale, 0, this.data.width), clamp((y - place.y) / scale, 0, this.data.height)];
  }

  // Where the pointer is; on the original, the same place under the heat map.
  pointer() {
    const { x, y } = this.stage.getPointerPosition(), half = this.half();
    return { x: x < half ? x + half : x, y };
  }

  magnify(factor, centre = { x: (this.stage.width() + this.half()) / 2, y: this.stage.height() / 2 }) {
    const zoom = clamp(this.zoom * factor, 1, 12), ratio = (this.base * zoom) / this.content.scaleX(), { x, y } = this.content.position();
    if (zoom === 1) return this.refit();
    this.zoom = zoom;
    this.content.scale({ x: this.base * zoom, y: this.base * zoom });
    this.content.position({ x: centre.x - (centre.x - x) * ratio, y: centre.y - (centre.y - y) * ratio });
    this.draw();
  }

  refit() {
    const { level, width } = this;
    this.fit();
    Object.assign(this, { level, width });
    this.grey();
    this.draw();
  }

  listen() {
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.tool) { this.tool = button.dataset.tool; this.measure = null; this.say(""); }
      ({ undo: () => this.undo(), in: () => this.magnify(1.5), out: () => this.magnify(1 / 1.5), fit: () => this.fit(), heat: () => this.turnHeat(), beside: () => this.turnBeside() })[button.dataset.do]?.();
      this.draw();
    });
    this.find("input").addEventListener("input", ({ target }) => { shared.opacity = target.value; this.draw(); });
    this.root.addEventListener("keydown", (event) => this.press(event));
    this.keys = (event) => {
      const field = event.composedPath()[0], key = event.key.toLowerCase(), ctrl = event.ctrlKey || event.metaKey;
      const isShut = field.role === "combobox" && field.ariaExpanded !== "true";
      const isText = field.isContentEditable || (/INPUT|TEXTAREA/.test(field.tagName) && !isShut && !/range|checkbox|radio/.test(field.type));
      if (ctrl && !event.shiftKey && key === "z" && !isText && this.data.editable) { event.preventDefault(); return this.undo(); }
      const turn = { h: () => this.turnHeat(), s: () => this.turnBeside() }[key];
      if (!turn || ctrl || event.altKey || !this.data.overlay || (isText && field.type !== "number")) return;
      event.preventDefault(); // a list that is shut would take the letter for a search
      turn();
    };
    document.addEventListener("keydown", this.keys);
    this.hands = (event) => { if (!event.composedPath().includes(this.root)) this.tellBox(); }; // before what is pressed
    document.addEventListener("pointerdown", this.hands, true);
    this.stage.on("wheel", ({ evt }) => {
      if (!evt.ctrlKey && this.zoom === 1 && evt.deltaY > 0) return;
      evt.preventDefault();
      this.magnify(evt.deltaY < 0 ? 1.15 : 1 / 1.15, this.pointer());
    });
    this.stage.on("pointerdown", (event) => this.start(event));
    this.stage.on("pointermove", (event) => this.move(event));
    this.stage.on("pointerup pointerleave", () => this.end());
    const stage = this.find(".stage"); // its own events: Konva keeps those of a second finger back while one drags
    stage.addEventListener("touchmove", (event) => this.pinch(event));
    for (const name of ["touchend", "touchcancel"]) stage.addEventListener(name, ({ touches }) => { if (touches.length < 2) this.fingers = null; });
    this.box.on("dragmove", () => {
      const { x, y } = this.box.position();
      this.box.position({ x: clamp(x, 0, this.data.width - this.box.width()), y: clamp(y, 0, this.data.height - this.box.height()) });
    });
    this.box.on("dragend transformend", () => { if (!this.fingers) this.keep(this.edges()); });
  }

  start({ target }) {
    if (!this.source || (this.tool === "box" && target !== this.stage)) return;
    const pointer = this.pointer();
    this.drag = { from: this.at(), pointer, position: this.content.position(), level: this.level, width: this.width, moved: false };
    if (this.tool === "box" && !this.data.editable) this.drag = null;
  }

  move() {
    const drag = this.drag;
    if (!drag || this.fingers) return;
    const pointer = this.pointer(), dx = pointer.x - drag.pointer.x, dy = pointer.y - drag.pointer.y, to = this.at();
    drag.moved ||= Math.hypot(dx, dy) > 4;
    if (!drag.moved) return;
    if (this.tool === "pan") this.content.position({ x: drag.position.x + dx, y: drag.position.y + dy });
    if (this.tool === "window") {
      this.width = clamp(drag.width + dx / 300, 0.05, 2);
      this.level = clamp(drag.level - dy / 300, 0, 1);
      this.grey();
      this.say(`Window ${Math.round(255 * this.width)}, level ${Math.round(255 * this.level)}`);
    }
    if (this.tool === "length") {
      this.measure = [drag.from, to];
      this.say(this.length(to[0] - drag.from[0], to[1] - drag.from[1]));
    }
    if (this.tool === "box") {
      drag.box = [Math.min(drag.from[0], to[0]), Math.min(drag.from[1], to[1]), Math.max(drag.from[0], to[0]), Math.max(drag.from[1], to[1])].map(Math.round);
      this.box.visible(true);
      this.place(drag.box);
    }
    if (this.tool === "box") this.stage.batchDraw(); else this.draw();
  }

  end() {
    const drag = this.drag;
    this.drag = null;
    if (!drag) return;
    if (drag.box) return this.keep(drag.box);
    if (drag.moved) return;
    if (this.tool === "box" && this.corner) { // two taps on opposite corners
      const [x, y] = drag.from, [cx, cy] = this.corner;
      this.corner = null;
      return this.keep([Math.min(x, cx), Math.min(y, cy), Math.max(x, cx), Math.max(y, cy)].map(Math.round));
    }
    if (this.tool !== "box") return;
    this.corner = drag.from;
    this.say(this.data.pick ? "Looking for a lesion here" : "Now the opposite corner");
    if (this.data.pick) this.tell("point", { x: Math.round(drag.from[0]), y: Math.round(drag.from[1]) });
  }

  pinch(event) {
    if (event.touches.length !== 2) return;
    const [a, b] = event.touches, bounds = this.find(".stage").getBoundingClientRect();
    const distance = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const centre = { x: (a.clientX + b.clientX) / 2 - bounds.left, y: (a.clientY + b.clientY) / 2 - bounds.top };
    const before = this.fingers;
    this.fingers = distance;
    if (!before) return this.release();
    this.magnify(distance / before, centre);
  }

  // What the first of two fingers began is no box.
  release() {
    this.drag = null;
    this.box.stopDrag();
    this.handles.stopTransform();
    this.place(this.data.box);
    this.draw();
  }

  press(event) {
    if (event.target.closest("input")) return;
    const shift = SHIFT[event.key], step = event.shiftKey ? 10 : 1;
    if (event.ctrlKey || event.metaKey) return;
    if (event.key === "+") this.magnify(1.5);
    else if (event.key === "-") this.magnify(1 / 1.5);
    else if (event.key === "0") this.fit();
    else if (event.key === "Escape") { this.measure = this.corner = null; this.say(""); this.draw(); }
    else if (shift && this.data.editable && this.data.box && event.target === this.root) {
      const [x0, y0, x1, y1] = this.data.box, [dx, dy] = [shift[0] * step, shift[1] * step], { width, height } = this.data;
      if (event.altKey) this.keep([x0, y0, clamp(x1 + dx, x0 + LEAST, width), clamp(y1 + dy, y0 + LEAST, height)]);
      else {
        const mx = clamp(dx, -x0, width - x1), my = clamp(dy, -y0, height - y1);
        this.keep([x0 + mx, y0 + my, x1 + mx, y1 + my]);
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
