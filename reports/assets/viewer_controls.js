'use strict';
// What surrounds the pictures: buttons, captions, pointers, the list of worst places.
(() => {
  const make = upbench.make;

  const scoreText = (value, metric) => value === null ? `${metric.name} –`
    : `${metric.name} ${value === 'inf' ? '∞' : value.toFixed(metric.decimals)}${metric.unit && value !== 'inf' ? ' ' + metric.unit : ''}`;

  upbench.scoreText = scoreText;

  function labelled(text, control) {
    const label = make('label');
    label.append(make('span', {}, text), control);
    return label;
  }

  function chooser(options, chosen, onChoose, name) {
    const select = make('select', {'aria-label': name});
    for (const [value, text] of options) select.append(new Option(text, value));
    select.value = chosen;
    select.addEventListener('change', () => onChoose(select.value));
    return select;
  }

  function button(text, onPress, attributes = {}) {
    const element = make('button', {type: 'button', ...attributes}, text);
    element.addEventListener('click', onPress);
    return element;
  }

  // From black over violet, red and yellow to white, by how bright a pixel is: #upbench-heat.
  function heatFilter() {
    const draw = (tag, attributes, ...parts) => {
      const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      element.append(...parts);
      return element;
    };
    const grey = '0.33 0.34 0.33 0 0 '.repeat(3) + '0 0 0 1 0';
    const tables = {R: '0 0.36 0.86 1 1', G: '0 0.04 0.22 0.76 1', B: '0 0.48 0.3 0.1 0.92'};
    return draw('svg', {width: 0, height: 0, 'aria-hidden': 'true', style: 'position: absolute'},
      draw('filter', {id: 'upbench-heat', 'color-interpolation-filters': 'sRGB'}, draw('feColorMatrix', {values: grey}),
        draw('feComponentTransfer', {}, ...Object.entries(tables).map(([channel, tableValues]) => draw(`feFunc${channel}`, {type: 'table', tableValues})))));
  }

  class ViewerControls {
    constructor(viewer, modes, gains) {
      this.viewer = viewer;
      const {state, layers, data} = viewer, names = layers.map(layer => [layer.id, layer.name]);
      this.scene = chooser(data.scenes.map((scene, i) => [i, this.sceneName(scene)]), state.scene, value => viewer.open(Number(value)), 'Picture');
      this.a = chooser(names, state.a, a => viewer.set({a}), 'A');
      this.b = chooser(names, state.b, b => viewer.set({b}), 'B');
      this.gain = chooser(gains.map(gain => [gain, `× ${gain}`]), state.gain, gain => viewer.set({gain: Number(gain)}), 'Gain of the difference');
      this.heat = this.check('heat map', state.heat, heat => viewer.set({heat}));
      this.boxes = this.check('marks', state.boxes, boxes => viewer.set({boxes}));
      this.map = chooser([['', 'none'], ...viewer.mapKinds.map(kind => [kind, kind])], state.map, map => viewer.set({map}), 'Map');
      this.automatic = this.check('automatic', false, on => viewer.blinkAutomatically(on));
      this.split = make('input', {type: 'range', min: 0, max: 100, step: 0.5, value: state.split, 'aria-label': 'Where A ends and B begins, percent'});
      this.split.addEventListener('input', () => viewer.set({split: Number(this.split.value)}));
      this.modes = modes.map(([mode, text, key]) => [mode, button(text, () => viewer.set({mode}), {'aria-pressed': 'false', title: `Key ${key}`})]);
      this.zoom = make('output', {'aria-label': 'Zoom'});
      this.status = make('p', {role: 'status', class: 'note'});
      const row = (...parts) => { const line = make('div', {class: 'viewer-tools'}); line.append(...parts); viewer.host.append(line); return line; };
      row(labelled('Picture', this.scene), button('Previous', () => viewer.open(state.scene - 1), {title: 'Key p'}),
          button('Next', () => viewer.open(state.scene + 1), {title: 'Key n'}), this.group('Mode', this.modes.map(([, element]) => element)),
          this.group('Zoom', [button('−', () => viewer.zoomBy(-1), {'aria-label': 'Zoom out'}), this.zoom,
                              button('+', () => viewer.zoomBy(1), {'aria-label': 'Zoom in'}),
                              button('Fit', () => { viewer.fit(); viewer.update(); }, {title: 'Key f'})]));
      this.pair = row(labelled('A', this.a), labelled('B', this.b), button('Swap', () => viewer.swap(), {title: 'Space'}), this.automatic,
                      labelled('Gain', this.gain), this.heat, this.boxes, labelled('Map', this.map), button('Link to this view', () => this.copyLink()));
      this.shown = this.layerChooser();
      viewer.host.append(this.shown, this.split, this.status, heatFilter());
    }

    sceneName({picture, rect, size}) {
      const whole = rect[2] === size[0] && rect[3] === size[1];
      return whole ? picture : `${picture} (${rect[2]} × ${rect[3]} at ${rect[0]}, ${rect[1]})`;
    }

    group(name, parts) {
      const element = make('div', {role: 'group', 'aria-label': name, class: 'group'});
      element.append(...parts);
      return element;
    }

    check(text, on, onChange) {
      const box = make('input', {type: 'checkbox'}), label = make('label', {class: 'check'});
      box.checked = on;
      box.addEventListener('change', () => onChange(box.checked));
      label.append(box, make('span', {}, text));
      return label;
    }

    layerChooser() {
      const {viewer} = this, details = make('details', {class: 'layers'}), list = make('div');
      details.append(make('summary', {}, 'Which are shown side by side'), list);
      for (const layer of viewer.layers)
        list.append(this.check(layer.name, viewer.state.shown.has(layer.id), on => {
          viewer.state.shown[on ? 'add' : 'delete'](layer.id);
          viewer.set({});
        }));
      return details;
    }

    async copyLink() {
      const {viewer} = this;
      history.replaceState(null, '', viewer.link);
      try {
        await navigator.clipboard.writeText(location.href);
        this.status.textContent = 'The link was copied.';
      } catch {
        this.status.textContent = 'The address of this page now leads to this view.';
      }
    }

    update() {
      const {viewer} = this, {state} = viewer, difference = state.mode === 'difference';
      this.scene.value = state.scene;
      this.a.value = state.a;
      this.b.value = state.b;
      this.split.value = state.split;
      this.map.value = state.map;
      this.map.parentElement.hidden = difference || this.map.options.length < 2;
      this.zoom.textContent = viewer.zoomText;
      for (const [mode, element] of this.modes) element.setAttribute('aria-pressed', String(mode === state.mode));
      this.gain.parentElement.hidden = this.heat.hidden = !difference;
      this.automatic.hidden = state.mode !== 'blink';
      this.split.hidden = state.mode !== 'slider';
      this.shown.hidden = state.mode !== 'grid';
      for (const label of [this.a.parentElement, this.b.parentElement]) label.hidden = state.mode === 'grid';
      this.pair.children[2].hidden = state.mode === 'grid';
      const front = viewer.layer(state[state.front]).name;
      const now = state.mode === 'blink' ? `Shown: ${front}` : state.mode === 'grid' ? '' : `A: ${viewer.layer(state.a).name}; B: ${viewer.layer(state.b).name}`;
      const gone = viewer.gone > 0 ? ` ${viewer.gone} picture files beside this page are missing.` : '';
      this.status.textContent = `${this.sceneName(viewer.scene)}, zoom ${viewer.zoomText}. ${now}${gone}`;
    }
  }

  // What the colours of the chosen map mean, or why there are none.
  function mapText(viewer, id) {
    const {map: kind} = viewer.state, map = viewer.mapOf(id);
    if (!map) return `${kind}: not flagged, or no map was kept`;
    const amount = value => `${Number(value.toPrecision(3))}${map.unit ? ' ' + map.unit : ''}`;
    const beyond = map.threshold !== null ? `; flagged above ${amount(map.threshold)}` : map.white < map.black ? ' and less' : ' and more';
    return `${kind}: black ${map.black}, white ${amount(map.white)}${beyond}`;
  }

  // Name, settings and scores of what a pane shows.
  function caption(viewer, id) {
    const layer = viewer.layer(id), parts = document.createDocumentFragment(), {scene, data} = viewer;
    const place = viewer.layers.indexOf(layer) + 1;
    parts.append(make('b', {}, `${place < 11 ? `${place % 10} · ` : ''}${layer.name}`));
    if (layer.index === undefined) {
      parts.append(make('small', {}, layer.id === 'in' ? 'what the methods got, enlarged without interpolation' : 'what the scores compare with'));
    } else if (scene.missing[layer.index]) {
      parts.append(make('small', {class: 'missing'}, scene.missing[layer.index]));
    } else {
      const scores = scene.scores[layer.index] ?? [];
      parts.append(make('small', {}, data.metrics.map((metric, m) => scoreText(scores[m] ?? null, metric)).join(' · ')));
      if (viewer.state.map) parts.append(make('small', {class: 'map'}, mapText(viewer, id)));
      parts.append(make('small', {class: 'settings'}, layer.settings));
    }
    return parts;
  }

  upbench.describePane = (viewer, pane) => {
    const {state} = viewer, name = id => viewer.layer(id).name;
    if (pane.id !== 'both') {
      pane.caption.replaceChildren(caption(viewer, pane.id));
      pane.canvas.setAttribute('aria-label', `${viewer.scene.picture}: ${name(pane.id)}`);
      return;
    }
    const ids = state.mode === 'blink' ? [state[state.front]] : [state.a, state.b];
    const blocks = ids.map(id => { const block = make('div'); block.append(caption(viewer, id)); return block; });
    pane.caption.replaceChildren(...blocks);
    const what = state.mode === 'difference' ? `difference of ${name(state.a)} and ${name(state.b)}, times ${state.gain}`
      : state.mode === 'slider' ? `${name(state.a)} left, ${name(state.b)} right` : name(ids[0]);
    pane.canvas.setAttribute('aria-label', `${viewer.scene.picture}: ${what}`);
  };

  // Dragging moves, two fingers zoom in steps.
  upbench.watchPointers = viewer => {
    const down = new Map();
    let spread = 0;
    const distance = () => { const [a, b] = [...down.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
    viewer.area.addEventListener('pointerdown', event => {
      if (event.target.tagName !== 'CANVAS') return;
      event.target.setPointerCapture(event.pointerId);
      down.set(event.pointerId, {x: event.clientX, y: event.clientY});
      if (down.size === 2) spread = distance();
    });
    viewer.area.addEventListener('pointermove', event => {
      const before = down.get(event.pointerId);
      if (!before) return;
      down.set(event.pointerId, {x: event.clientX, y: event.clientY});
      if (down.size === 1) {
        const scale = viewer.step * devicePixelRatio;
        viewer.moveBy((before.x - event.clientX) * scale, (before.y - event.clientY) * scale);
      } else if (down.size === 2) {
        const now = distance();
        if (now > spread * 1.3 || now < spread / 1.3) {
          viewer.zoomBy(now > spread ? 1 : -1, event);
          spread = now;
        }
      }
    });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) viewer.area.addEventListener(end, event => down.delete(event.pointerId));
  };

  // Places chosen by the report, one link each.
  class WorstPlaces {
    constructor(viewer) {
      this.viewer = viewer;
      const {data} = viewer, metrics = [...new Set(data.worst.map(place => place.metric))].sort((a, b) => a - b);
      if (metrics.length === 0) return;
      this.list = make('ol', {class: 'worst'});
      const detects = m => data.worst.some(place => place.metric === m && place.detects);
      const choice = chooser(metrics.map(m => [m, data.metrics[m].name + (detects(m) ? ' (artifact)' : '')]), metrics[0], m => this.show(Number(m)), 'Metric of the worst places');
      const head = make('div', {class: 'viewer-tools'});
      head.append(labelled('Where each is worst, by', choice));
      viewer.host.append(head, this.list);
      this.show(metrics[0]);
    }

    show(metric) {
      const {viewer} = this, {data} = viewer, about = data.metrics[metric];
      const places = data.worst.filter(place => place.metric === metric).sort((a, b) => a.rank - b.rank);
      this.list.replaceChildren(...places.map(place => {
        const item = make('li'), other = place.rival === place.method ? 'ref' : `m${place.rival + 1}`;
        const b = `m${place.method + 1}`, a = viewer.layer(other) ? other : viewer.state.a;
        const shown = {scene: place.scene, a, b, mode: 'slider', mark: place.rect.join(), ...place.flagged && {map: about.name}};
        const link = make('a', {href: `#view?${new URLSearchParams(shown)}`}, data.methods[place.method].name);
        const flag = place.detects ? `, ${place.flagged ? 'flagged' : 'not flagged'}` : '';
        const against = place.rival === place.method ? 'the best here' : `${place.behind.toFixed(about.decimals)} behind ${data.methods[place.rival].name}`;
        item.append(link, ` ${scoreText(place.score, about)} on ${data.scenes[place.scene].picture}${flag}, ${against}`);
        return item;
      }));
    }

    update() {
      for (const link of this.list?.querySelectorAll('a') ?? []) link.toggleAttribute('aria-current', link.hash === location.hash);
    }
  }

  upbench.ViewerControls = ViewerControls;
  upbench.WorstPlaces = WorstPlaces;
})();
