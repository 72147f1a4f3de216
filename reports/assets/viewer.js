'use strict';
// Compares the pictures of a run. One state for all panes; zoom in whole device pixels per picture pixel, so that no
// pixel is ever wider than another. Pixels are never read back: on a page from disk pictures beside it may be drawn only.
(() => {
  const ZOOMS = [1 / 16, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
  const MODES = [['grid', 'Side by side', 'g'], ['slider', 'Slider', 's'], ['blink', 'Blink', 'b'], ['difference', 'Difference', 'd']];
  const GAINS = [1, 2, 4, 8, 16, 32];
  const BLINK_MS = 600;  // fewer than three changes a second (WCAG 2.3.1)
  const make = upbench.make;

  // What can be looked at: the methods, the reference, what the pipeline got.
  function layersOf(data) {
    const layers = data.methods.map((method, i) => ({id: `m${i + 1}`, name: method.name, settings: method.settings, index: i}));
    if (data.scenes.some(scene => scene.reference !== null)) layers.push({id: 'ref', name: 'reference'});
    if (data.scenes.some(scene => scene.input !== null)) layers.push({id: 'in', name: 'input'});
    return layers;
  }

  class Viewer {
    constructor(host, data) {
      this.host = host;
      this.data = data;
      this.layers = layersOf(data);
      this.pictures = new Map();
      this.panes = [];
      const last = this.layers.at(-1).id, hasReference = this.layers.some(layer => layer.id === 'ref');
      this.state = {scene: 0, a: hasReference ? 'ref' : last, b: 'm1', mode: 'grid', zoom: ZOOMS.indexOf(1), x: 0, y: 0, gain: 4, heat: false,
                    split: 50, front: 'b', boxes: true, map: '', mark: null,
                    shown: new Set(this.layers.filter(layer => layer.index === undefined || layer.index < 6).map(layer => layer.id))};
      // In device pixels as the browser lays them out: a canvas of another size would be scaled, and its pixels uneven.
      this.sizes = new ResizeObserver(entries => {
        for (const {target, devicePixelContentBoxSize: [box]} of entries) {
          const isBelieved = Math.abs(box.inlineSize - target.clientWidth * devicePixelRatio) < 2;  // emulated screens tell CSS pixels
          target.inDevicePixels = isBelieved ? [box.inlineSize, box.blockSize] : undefined;
        }
        this.draw();
      });
      this.controls = new upbench.ViewerControls(this, MODES, GAINS);
      this.buildPanes();
      this.worst = new upbench.WorstPlaces(this);
      addEventListener('hashchange', () => this.followLink());
      this.open(0).then(() => this.followLink());
    }

    layer(id) { return this.layers.find(layer => layer.id === id); }
    get scene() { return this.data.scenes[this.state.scene]; }
    sourceOf(layer) { return layer.id === 'ref' ? this.scene.reference : layer.id === 'in' ? this.scene.input : this.scene.sources[layer.index]; }

    // Kinds of map that any scene has: of detectors, of local scores.
    get mapKinds() { return [...new Set(this.data.scenes.flatMap(scene => (scene.maps ?? []).map(map => map.kind)))].sort(); }
    // The chosen map of what a layer shows.
    mapOf(id) { return (this.scene.maps ?? []).find(map => map.kind === this.state.map && id === `m${map.method + 1}`); }

    async load(source) {
      if (source === null || source === undefined) return null;
      if (!this.pictures.has(source)) {
        const picture = new Image();
        picture.src = typeof source === 'string' ? source : document.getElementById(`picture-${source}`).textContent;
        this.pictures.set(source, picture.decode().then(() => picture, () => null));
      }
      return this.pictures.get(source);
    }

    // Only one scene's pictures are held decoded.
    async open(scene, keepPlace = false) {
      this.state.scene = Math.max(0, Math.min(this.data.scenes.length - 1, scene));
      this.state.mark = null;
      const maps = (this.scene.maps ?? []).map(map => map.source), wanted = [...this.layers.map(layer => this.sourceOf(layer)), ...maps];
      for (const source of [...this.pictures.keys()]) if (!wanted.includes(source)) this.pictures.delete(source);
      const opened = this.state.scene;
      const loaded = await Promise.all(wanted.map(source => this.load(source)));
      if (opened !== this.state.scene) return;
      this.loaded = new Map(this.layers.map((layer, i) => [layer.id, loaded[i]]));
      this.loadedMaps = new Map(maps.map((source, i) => [source, loaded[this.layers.length + i]]));
      this.gone = wanted.filter((source, i) => source !== null && source !== undefined && !loaded[i]).length;
      if (!keepPlace) this.fit();
      this.update();
    }

    buildPanes() {
      this.area = make('div', {class: 'panes', tabindex: 0, role: 'group',
                               'aria-label': 'Pictures. Keys: 1 to 9 choose B, Shift and digit A, Space swaps, g s b d modes, plus and minus zoom, arrows move, f fits, n and p change the picture'});
      this.host.append(this.area);
      this.area.addEventListener('keydown', event => this.key(event));
      this.area.addEventListener('wheel', event => {
        if (!event.ctrlKey && !this.area.contains(document.activeElement)) return;
        event.preventDefault();
        this.zoomBy(event.deltaY < 0 ? 1 : -1, event);
      }, {passive: false});
      upbench.watchPointers(this);
    }

    // One pane a shown layer, or one for A and B.
    layoutPanes() {
      const ids = this.state.mode === 'grid' ? this.layers.map(layer => layer.id).filter(id => this.state.shown.has(id)) : ['both'];
      if (this.panes.length !== ids.length || this.panes.some((pane, i) => pane.id !== ids[i])) {
        this.panes = ids.map(id => {
          const canvas = make('canvas', {role: 'img'}), caption = make('figcaption'), figure = make('figure', {class: 'pane'});
          figure.append(canvas, caption);
          return {id, canvas, caption, figure};
        });
        this.area.replaceChildren(...this.panes.map(pane => pane.figure));
        this.sizes.disconnect();
        for (const pane of this.panes) this.sizes.observe(pane.canvas, {box: 'device-pixel-content-box'});
      }
      this.area.dataset.mode = this.state.mode;
    }

    sizeOf(canvas) {
      return canvas.inDevicePixels ?? [canvas.clientWidth, canvas.clientHeight].map(size => Math.max(1, Math.round(size * devicePixelRatio)));
    }

    fit() {
      this.layoutPanes();
      const [, , w, h] = this.scene.rect, [width, height] = this.sizeOf(this.panes[0].canvas);
      let zoom = 0;
      while (zoom + 1 < ZOOMS.length && w * ZOOMS[zoom + 1] <= width && h * ZOOMS[zoom + 1] <= height) ++zoom;
      Object.assign(this.state, {zoom, x: w / 2, y: h / 2});
    }

    // About a point of the screen, which stays where it is.
    zoomBy(steps, event) {
      const next = Math.max(0, Math.min(ZOOMS.length - 1, this.state.zoom + steps));
      const canvas = event && this.panes.find(pane => pane.canvas === event.target)?.canvas;
      if (canvas) {
        const box = canvas.getBoundingClientRect(), by = 1 / ZOOMS[this.state.zoom] - 1 / ZOOMS[next];
        this.state.x += (event.clientX - box.left - box.width / 2) * devicePixelRatio * by;
        this.state.y += (event.clientY - box.top - box.height / 2) * devicePixelRatio * by;
      }
      this.state.zoom = next;
      this.update();
    }

    moveBy(dx, dy) {
      const [, , w, h] = this.scene.rect;
      this.state.x = Math.max(0, Math.min(w, this.state.x + dx));
      this.state.y = Math.max(0, Math.min(h, this.state.y + dy));
      this.update();
    }

    // How many picture pixels a device pixel is.
    get step() { return 1 / ZOOMS[this.state.zoom]; }
    get zoomText() { return ZOOMS[this.state.zoom] >= 1 ? `${ZOOMS[this.state.zoom]} : 1` : `1 : ${Math.round(this.step)}`; }

    // A place of the opened scene, large enough to be seen in a pane.
    lookAt(rect) {
      this.state.mark = rect;
      this.layoutPanes();
      const [width, height] = this.sizeOf(this.panes[0].canvas);
      let zoom = ZOOMS.indexOf(1);
      while (zoom + 1 < ZOOMS.length && rect[2] * ZOOMS[zoom + 1] * 1.2 <= width && rect[3] * ZOOMS[zoom + 1] * 1.2 <= height) ++zoom;
      Object.assign(this.state, {zoom, x: rect[0] + rect[2] / 2, y: rect[1] + rect[3] / 2});
      this.update();
    }

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target !== this.area) return;
      const far = 32 * this.step * devicePixelRatio, {state} = this;
      const digit = /^Digit([0-9])$/.exec(event.code);
      const actions = {
        ' ': () => this.swap(), '+': () => this.zoomBy(1), '=': () => this.zoomBy(1), '-': () => this.zoomBy(-1),
        ArrowLeft: () => this.moveBy(-far, 0), ArrowRight: () => this.moveBy(far, 0), ArrowUp: () => this.moveBy(0, -far),
        ArrowDown: () => this.moveBy(0, far), f: () => { this.fit(); this.update(); }, n: () => this.open(state.scene + 1), p: () => this.open(state.scene - 1),
      };
      for (const [mode, , letter] of MODES) actions[letter] = () => this.set({mode});
      if (digit) {
        const layer = this.layers[(Number(digit[1]) + 9) % 10];
        if (layer) this.set(event.shiftKey ? {a: layer.id} : {b: layer.id});
      } else if (actions[event.key]) {
        actions[event.key]();
      } else {
        return;
      }
      event.preventDefault();
    }

    // In blink mode the other of the two comes to the front, elsewhere they exchange places.
    swap() {
      const {state} = this;
      this.set(state.mode === 'blink' ? {front: state.front === 'a' ? 'b' : 'a'} : {a: state.b, b: state.a});
    }

    set(changes) {
      const refit = changes.mode !== undefined && (changes.mode === 'grid') !== (this.state.mode === 'grid') && !this.state.mark;
      Object.assign(this.state, changes);
      this.layoutPanes();
      if (refit) this.fit();
      this.update();
    }

    blinkAutomatically(on) {
      clearInterval(this.blinker);
      if (on) this.blinker = setInterval(() => this.state.mode === 'blink' && this.swap(), BLINK_MS);
    }

    drawLayer(context, id, width, height) {
      const picture = this.loaded?.get(id);
      if (!picture) return;
      const zoom = ZOOMS[this.state.zoom], [, , w, h] = this.scene.rect;
      const left = Math.round(width / 2 - this.state.x * zoom), top = Math.round(height / 2 - this.state.y * zoom);
      const [x, y, pw, ph] = id === 'in' ? this.scene.input_rect : [0, 0, w, h];
      context.imageSmoothingEnabled = zoom < 1;
      context.drawImage(picture, left + x * zoom, top + y * zoom, pw * zoom, ph * zoom);
      this.drawMap(context, id, left, top, zoom);
    }

    // Over the dimmed picture: what is wrong glows, whatever lies below. A map covers the whole picture.
    drawMap(context, id, left, top, zoom) {
      const map = this.mapOf(id), picture = map && this.loadedMaps?.get(map.source);
      if (!picture || this.state.mode === 'difference') return;
      const [x, y, w, h] = this.scene.rect, [width, height] = this.scene.size;
      context.save();
      context.beginPath();
      context.rect(left, top, w * zoom, h * zoom);
      context.clip();
      context.fillStyle = 'rgba(0, 0, 0, 0.6)';
      context.fillRect(left, top, w * zoom, h * zoom);
      context.globalCompositeOperation = 'lighter';
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, left - x * zoom, top - y * zoom, width * zoom, height * zoom);
      context.restore();
    }

    drawBoxes(context, ids, width, height) {
      const zoom = ZOOMS[this.state.zoom], left = Math.round(width / 2 - this.state.x * zoom), top = Math.round(height / 2 - this.state.y * zoom);
      const boxes = (this.scene.boxes ?? []).filter(box => ids.includes(`m${box.method + 1}`));
      const outline = ([x, y, w, h], colour) => {
        for (const [line, style] of [[4, '#000'], [2, colour]]) {
          context.lineWidth = line * devicePixelRatio;
          context.strokeStyle = style;
          context.strokeRect(left + x * zoom, top + y * zoom, w * zoom, h * zoom);
        }
      };
      if (this.state.mark) outline(this.state.mark, '#ffd54a');
      context.font = `${12 * devicePixelRatio}px sans-serif`;
      for (const box of boxes) {
        outline(box.rect, '#56b4e9');
        context.fillStyle = '#56b4e9';
        context.fillText(box.kind, left + box.rect[0] * zoom, top + box.rect[1] * zoom - 5 * devicePixelRatio);
      }
    }

    drawPane({id, canvas}) {
      const [width, height] = this.sizeOf(canvas), {state} = this;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
      const context = canvas.getContext('2d');
      context.globalCompositeOperation = 'source-over';
      context.clearRect(0, 0, width, height);
      canvas.style.filter = state.mode === 'difference' && state.heat ? 'url(#upbench-heat)' : '';
      let ids = [id];
      if (id !== 'both') {
        this.drawLayer(context, id, width, height);
      } else if (state.mode === 'slider') {
        const split = Math.round(width * state.split / 100);
        for (const [layer, from, to] of [[state.a, 0, split], [state.b, split, width]]) {
          context.save();
          context.beginPath();
          context.rect(from, 0, to - from, height);
          context.clip();
          this.drawLayer(context, layer, width, height);
          context.restore();
        }
        context.fillStyle = '#ffd54a';
        context.fillRect(split - devicePixelRatio, 0, 2 * devicePixelRatio, height);
        ids = [state.a, state.b];
      } else if (state.mode === 'blink') {
        ids = [state[state.front]];
        this.drawLayer(context, ids[0], width, height);
      } else {
        context.fillStyle = '#000';
        context.fillRect(0, 0, width, height);
        this.drawLayer(context, state.a, width, height);
        context.globalCompositeOperation = 'difference';
        this.drawLayer(context, state.b, width, height);
        context.globalCompositeOperation = 'lighter';
        for (let gain = state.gain; gain > 1; gain /= 2) context.drawImage(canvas, 0, 0);
        context.globalCompositeOperation = 'source-over';
        ids = [state.a, state.b];
      }
      if (state.boxes) this.drawBoxes(context, ids, width, height);
    }

    draw() { for (const pane of this.panes) this.drawPane(pane); }

    update() {
      this.layoutPanes();
      for (const pane of this.panes) upbench.describePane(this, pane);
      this.draw();
      this.controls.update();
      this.worst?.update();
    }

    // "#view?scene=0&a=ref&b=m1&mode=slider&x=12&y=30&zoom=4&map=seam"
    get link() {
      const {scene, a, b, mode, x, y, zoom, map} = this.state;
      return `#view?${new URLSearchParams({scene, a, b, mode, x: x.toFixed(1), y: y.toFixed(1), zoom: ZOOMS[zoom], ...map && {map}})}`;
    }

    async followLink() {
      if (!location.hash.startsWith('#view?')) return;
      const asked = new URLSearchParams(location.hash.slice(6)), known = name => this.layer(asked.get(name));
      const mode = MODES.find(([name]) => name === asked.get('mode'))?.[0] ?? this.state.mode;
      const map = this.mapKinds.includes(asked.get('map')) ? asked.get('map') : '';
      Object.assign(this.state, {mode, map, a: known('a')?.id ?? this.state.a, b: known('b')?.id ?? this.state.b});
      await this.open(parseInt(asked.get('scene'), 10) || 0);
      const zoom = ZOOMS.findIndex(level => Math.abs(level - Number(asked.get('zoom'))) < 1e-3), mark = asked.get('mark')?.split(',').map(Number);
      if (mark?.length === 4 && mark.every(Number.isFinite)) this.lookAt(mark);
      else if (zoom >= 0) Object.assign(this.state, {zoom, x: Number(asked.get('x')) || 0, y: Number(asked.get('y')) || 0});
      this.update();
      this.host.scrollIntoView();
    }
  }

  upbench.startViewer = () => {
    const host = document.getElementById('viewer'), data = document.getElementById('picture-data');
    if (host && data) host.viewer = new Viewer(host, JSON.parse(data.textContent));
  };
})();
