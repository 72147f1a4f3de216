'use strict';
// The page's scripts share one name.
const upbench = {
  // An element; text is text, never markup.
  make(tag, attributes = {}, text = '') {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  },
};
(() => {
  const MOST_ROWS = 500;  // laid out at once: layout, not sorting, is what takes time
  const make = upbench.make;

  // As the program writes CSV: quoted where needed, and nothing that a spreadsheet takes for a formula.
  function csvField(text) {
    const formula = /^[=+\-@]/.test(text) && !/^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf)$/i.test(text), safe = formula ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  const cellValue = cell => cell.classList.contains('n') ? cell.dataset.v : cell.textContent;

  class ReportTable {
    constructor(figure) {
      this.figure = figure;
      this.table = figure.querySelector('table');
      this.body = this.table.tBodies[0];
      this.all = [...this.body.rows];
      this.heads = [...this.table.tHead.rows[0].cells];
      this.order = this.all.slice();
      this.words = [];
      this.limit = MOST_ROWS;
      this.texts = new Map(this.all.map(row => [row, row.textContent.toLowerCase()]));
      this.buildTools();
      if (this.all.length > 1) this.heads.forEach((head, column) => this.makeSortable(head, column));
      this.show();
    }

    buildTools() {
      const name = this.figure.querySelector('.scroll').getAttribute('aria-label');
      this.tools = make('div', {class: 'tools'});
      this.count = make('output');
      this.more = make('button', {type: 'button'}, 'Show all rows');
      this.more.addEventListener('click', () => { this.limit = Infinity; this.show(); });
      if (this.all.length > 8) {
        const filter = make('input', {type: 'search', placeholder: 'Filter rows', 'aria-label': `Filter rows of ${name} by words`});
        filter.addEventListener('input', () => {
          this.words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
          this.show();
        });
        this.tools.append(filter);
      }
      this.tools.append(this.count, this.more);
      if (this.heads.length > 3) this.tools.append(this.columnChooser(name));
      const save = make('button', {type: 'button', 'aria-label': `Save ${name} as CSV`}, 'CSV');
      save.addEventListener('click', () => this.save());
      this.tools.append(save);
      this.figure.querySelector('.scroll').before(this.tools);
    }

    found() { return this.order.filter(row => this.words.every(word => this.texts.get(row).includes(word))); }

    show() {
      const found = this.found(), {all} = this;
      this.body.replaceChildren(...found.slice(0, this.limit));
      this.more.hidden = found.length <= this.limit;
      this.count.textContent = found.length === all.length && this.more.hidden ? `${all.length} row${all.length === 1 ? '' : 's'}`
        : `${Math.min(found.length, this.limit)} of ${all.length} rows`;
    }

    // One rule a hidden column: rows that are laid out later obey as well.
    columnChooser(name) {
      const details = make('details', {class: 'columns'}), list = make('div'), rules = make('style');
      const hidden = new Set();
      details.append(make('summary', {'aria-label': `Columns of ${name}`}, 'Columns'), list);
      this.figure.append(rules);
      this.hidden = hidden;
      this.heads.forEach((head, column) => {
        const box = make('input', {type: 'checkbox'}), label = make('label', {class: 'check'});
        box.checked = true;
        box.addEventListener('change', () => {
          hidden[box.checked ? 'delete' : 'add'](column);
          rules.textContent = [...hidden].map(i => `#${this.figure.id} :is(th, td):nth-child(${i + 1}) { display: none; }`).join('\n');
        });
        label.append(box, make('span', {}, head.textContent));
        list.append(label);
      });
      return details;
    }

    // By the unrounded value, stable; rows without a value and failed ones stay last in both directions.
    makeSortable(head, column) {
      const button = make('button', {type: 'button'}, head.textContent), number = head.classList.contains('n');
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const now = head.getAttribute('aria-sort');
        const first = head.dataset.better === 'higher' ? 'descending' : 'ascending';
        const next = !now ? first : now === 'ascending' ? 'descending' : 'ascending';
        for (const other of this.heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', next);
        const sign = next === 'ascending' ? 1 : -1;
        const keyed = this.all.map(row => {
          const text = cellValue(row.cells[column]), value = number ? parseFloat(text.replace('inf', 'Infinity')) : text;
          return {row, value, last: row.dataset.status === 'failed' ? 2 : Number.isNaN(value) || value === '' ? 1 : 0};
        });
        keyed.sort((a, b) => a.last - b.last || (a.last ? 0 : sign * (number ? (a.value < b.value ? -1 : a.value > b.value ? 1 : 0)
          : a.value.localeCompare(b.value, 'en', {numeric: true}))));
        this.order = keyed.map(entry => entry.row);
        this.show();
      });
    }

    // The rows that pass the filter in their order, the columns that are shown, values in full.
    get csv() {
      const columns = this.heads.map((_, column) => column).filter(column => !this.hidden?.has(column));
      const lines = [columns.map(column => csvField(this.heads[column].dataset.id))];
      for (const row of this.found()) lines.push(columns.map(column => csvField(cellValue(row.cells[column]))));
      return lines.map(line => line.join(',') + '\n').join('');
    }

    save() {
      const link = make('a', {download: `${this.figure.id.replace('table-', '')}.csv`});
      link.href = URL.createObjectURL(new Blob([this.csv], {type: 'text/csv'}));
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }
  }

  // Brings the row into view, whatever is filtered, and marks it for a moment.
  upbench.showRow = key => {
    for (const figure of document.querySelectorAll('figure.table')) {
      const row = figure.report?.all.find(candidate => candidate.dataset.key === key);
      if (!row) continue;
      if (!row.isConnected) {
        figure.report.words = [];
        figure.report.limit = Infinity;
        figure.report.show();
      }
      for (const other of document.querySelectorAll('tr.chosen')) other.classList.remove('chosen');
      row.classList.add('chosen');
      row.scrollIntoView({block: 'center'});
      return true;
    }
    return false;
  };

  upbench.startTables = () => {
    for (const figure of document.querySelectorAll('figure.table')) figure.report = new ReportTable(figure);
  };
})();
