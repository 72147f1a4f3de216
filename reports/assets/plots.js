'use strict';
(() => {
  // The specs are drawn for a light page; colours of text and lines follow the page's own.
  function theme() {
    const style = getComputedStyle(document.documentElement), colour = name => style.getPropertyValue(name).trim();
    const text = colour('--text'), faint = colour('--faint'), line = colour('--line');
    return {
      background: 'transparent', font: 'system-ui, "DejaVu Sans", sans-serif', view: {stroke: null},
      title: {color: text, subtitleColor: faint, fontSize: 15, subtitleFontSize: 12},
      axis: {labelColor: text, titleColor: text, gridColor: line, domainColor: faint, tickColor: faint, labelFontSize: 12, titleFontSize: 12,
             titleFontWeight: 'normal'},
      legend: {labelColor: text, titleColor: text, orient: 'bottom', columns: 2, labelLimit: 230, symbolSize: 90},
      text: {color: text}, style: {cell: {stroke: null}},
    };
  }

  // A height of so much a name; Vega-Lite would warn of it beside a width that fits.
  function heightOf(spec) {
    const y = [spec, ...spec.layer ?? []].map(part => part.encoding?.y).find(channel => Array.isArray(channel?.sort));
    return spec.height?.step && y ? spec.height.step * y.sort.length : spec.height;
  }

  async function draw(plot, target) {
    const spec = {...plot.spec, width: 'container', height: heightOf(plot.spec), autosize: {type: 'fit-x', contains: 'padding'}};
    const actions = {export: true, source: false, compiled: false, editor: false};
    try {
      // ast: expressions are interpreted, as the page's policy forbids eval.
      const {view} = await vegaEmbed(target, spec, {ast: true, renderer: 'svg', actions, config: theme(), downloadFileName: plot.name});
      target.querySelector('summary')?.setAttribute('aria-label', `Save plot: ${plot.title}`);
      view.addEventListener('click', (_, item) => item?.datum?.row && upbench.showRow(item.datum.row));
    } catch (error) {
      target.textContent = `This plot cannot be drawn: ${error.message}`;
    }
  }

  upbench.startPlots = async () => {
    const data = document.getElementById('plot-data');
    if (!data || typeof vegaEmbed === 'undefined') return;
    const plots = JSON.parse(data.textContent), drawn = new Set();
    const target = index => document.getElementById(`plot-${index}`);
    const drawOnce = index => {
      if (drawn.has(index)) return null;
      drawn.add(index);
      return draw(plots[index], target(index));
    };
    const watcher = new IntersectionObserver(entries => {
      for (const entry of entries) if (entry.isIntersecting) drawOnce(Number(entry.target.id.slice(5)));
    }, {rootMargin: '600px'});
    plots.forEach((plot, index) => {
      const height = heightOf(plot.spec);  // kept free, so that what lies below stays where it is when the plot is drawn
      if (Number.isFinite(height)) target(index).style.minHeight = `${height}px`;
      watcher.observe(target(index));
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawn.forEach(index => draw(plots[index], target(index))));
    addEventListener('beforeprint', () => plots.forEach((_, index) => drawOnce(index)));
    await drawOnce(0);
  };
})();
