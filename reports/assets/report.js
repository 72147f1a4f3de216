'use strict';
(() => {
  const MOST_ROWS = 500;  // laid out at once: layout, not sorting, is what takes time

  // Sorting by the unrounded value, stable; rows without a value and failed ones stay last in both directions.
  function enhanceTable(figure) {
    const table = figure.querySelector('table'), body = table.tBodies[0], all = [...body.rows];
    if (all.length < 2) return;
    let order = all.slice(), words = [], limit = MOST_ROWS;
    const text = new Map(all.map(row => [row, row.textContent.toLowerCase()]));
    const tools = document.createElement('div'), filter = document.createElement('input'), count = document.createElement('output');
    const more = document.createElement('button');
    tools.className = 'tools';
    filter.type = 'search';
    filter.placeholder = 'Filter rows';
    filter.setAttribute('aria-label', 'Filter rows by words');
    more.type = 'button';
    more.textContent = 'Show all rows';
    tools.append(filter, count, more);

    function show() {
      const found = order.filter(row => words.every(word => text.get(row).includes(word)));
      body.replaceChildren(...found.slice(0, limit));
      more.hidden = found.length <= limit;
      count.textContent = found.length === all.length && more.hidden ? `${all.length} rows`
        : `${Math.min(found.length, limit)} of ${all.length} rows`;
    }

    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement('button'), number = head.classList.contains('n');
      button.type = 'button';
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const now = head.getAttribute('aria-sort');
        const first = head.dataset.better === 'higher' ? 'descending' : 'ascending';
        const next = !now ? first : now === 'ascending' ? 'descending' : 'ascending';
        for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', next);
        const sign = next === 'ascending' ? 1 : -1;
        const key = row => number ? parseFloat(row.cells[column].dataset.v.replace('inf', 'Infinity')) : row.cells[column].textContent;
        const keyed = all.map(row => {
          const value = key(row);
          return {row, value, last: row.dataset.status === 'failed' ? 2 : Number.isNaN(value) || value === '' ? 1 : 0};
        });
        keyed.sort((a, b) => a.last - b.last || (a.last ? 0 : sign * (number ? (a.value < b.value ? -1 : a.value > b.value ? 1 : 0)
          : a.value.localeCompare(b.value, 'en', {numeric: true}))));
        order = keyed.map(entry => entry.row);
        show();
      });
    });
    filter.addEventListener('input', () => {
      words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      show();
    });
    more.addEventListener('click', () => {
      limit = Infinity;
      show();
    });
    if (all.length > 8) figure.querySelector('.scroll').before(tools);
    show();
  }

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

  async function draw(plot, target) {
    const spec = {...plot.spec, width: 'container', autosize: {type: 'fit-x', contains: 'padding'}};
    const actions = {export: true, source: false, compiled: false, editor: false};
    try {
      // ast: expressions are interpreted, as the page's policy forbids eval.
      await vegaEmbed(target, spec, {ast: true, renderer: 'svg', actions, config: theme(), downloadFileName: plot.name});
      target.querySelector('summary')?.setAttribute('aria-label', `Save plot: ${plot.title}`);
    } catch (error) {
      target.textContent = `This plot cannot be drawn: ${error.message}`;
    }
  }

  async function drawPlots() {
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
    plots.forEach((_, index) => watcher.observe(target(index)));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawn.forEach(index => draw(plots[index], target(index))));
    addEventListener('beforeprint', () => plots.forEach((_, index) => drawOnce(index)));
    await drawOnce(0);
  }

  document.querySelectorAll('figure.table').forEach(enhanceTable);
  drawPlots().finally(() => { document.documentElement.dataset.ready = ''; });
})();
