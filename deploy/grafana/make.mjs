// Makes Grafana's JSON of dashboards.mjs: `node deploy/grafana/make.mjs`. With --check it writes nothing and ends with 1 if a file differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { dashboards } from './dashboards.mjs';

const source = { type: 'prometheus', uid: '${source}' };
const width = 8, height = 8, across = 24;

function panelOf(panel, id, place) {
  const note = panel.needs ? ` Only with ${panel.needs}.` : '';
  return {
    id, type: panel.type, title: panel.title, description: panel.question + note, datasource: source, gridPos: place,
    fieldConfig: { defaults: { unit: panel.unit, ...(panel.type === 'timeseries' ? { min: 0 } : {}) }, overrides: [] },
    options: panel.type === 'timeseries'
      ? { legend: { displayMode: 'list', placement: 'bottom', showLegend: true }, tooltip: { mode: 'multi', sort: 'desc' } }
      : { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value' },
    targets: panel.queries.map(([expr, legendFormat], i) => ({ refId: String.fromCharCode(65 + i), datasource: source, expr, legendFormat })),
  };
}

function dashboardOf(uid, { title, rows }) {
  const panels = [];
  let y = 0, id = 1;
  for (const [row, members] of Object.entries(rows)) {
    panels.push({ id: id++, type: 'row', title: row, collapsed: false, gridPos: { x: 0, y: y++, w: across, h: 1 }, panels: [] });
    members.forEach((panel, i) => {
      const place = { x: (i * width) % across, y: y + height * Math.floor(i * width / across), w: width, h: height };
      panels.push(panelOf(panel, id++, place));
    });
    y += height * Math.ceil(members.length * width / across);
  }
  return {
    uid, title, tags: ['relay'], schemaVersion: 39, version: 1, editable: true, refresh: '30s', time: { from: 'now-6h', to: 'now' },
    timezone: 'browser', annotations: { list: [] },
    templating: { list: [{ name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {}, hide: 0 }] },
    links: [{ type: 'dashboards', tags: ['relay'], title: 'Relay', asDropdown: false, includeVars: true, keepTime: true }],
    panels,
  };
}

let isStale = false;
for (const [uid, dashboard] of Object.entries(dashboards)) {
  const file = new URL(`${uid}.json`, import.meta.url);
  const made = JSON.stringify(dashboardOf(uid, dashboard), null, 2) + '\n';
  if (!process.argv.includes('--check')) {
    writeFileSync(file, made);
    continue;
  }
  let now = '';
  try {
    now = readFileSync(file, 'utf8');
  } catch { /* It is missing. */ }
  if (now === made) continue;
  console.error(`${uid}.json is not what dashboards.mjs says: node deploy/grafana/make.mjs`);
  isStale = true;
}
process.exit(isStale ? 1 : 0);
