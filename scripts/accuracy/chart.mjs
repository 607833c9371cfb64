/** Performance profiles as a picture. */
import { chartConfig, chartTitle, renderSvg, styles } from '../reports/chart.mjs'

/** @typedef {{ panel: string, method: string, factor: number, share: number }} Point */

const width = 250
const height = 240
const spacing = 26
const largestFactor = 1e6
const keyRow = 19

/** Thirty to a decade, from 1 on. */
export const factors = Array.from({ length: 30 * Math.log10(largestFactor) + 1 }, (_, k) => 10 ** (k / 30))

/**
 * @param {Point[]} points panels and methods in their order of appearance
 * @param {{ title: string, subtitle: string[] }} text
 * @returns {Promise<string>} an SVG document
 */
export function drawProfiles(points, { title, subtitle }) {
  const panels = [...new Set(points.map(({ panel }) => panel))]
  /** @type {import('vega-lite').TopLevelSpec} */
  const spec = {
    // GitHub's dark theme shows a picture as it is: on white it reads in both.
    background: 'white',
    title: chartTitle(title, subtitle),
    // The last curve lies on top.
    data: { values: points.map(rounded).sort((a, b) => b.row - a.row) },
    facet: {
      column: {
        field: 'panel',
        type: 'nominal',
        sort: panels,
        title: null,
        header: { labelFontSize: 13, labelFontWeight: 'bold', labelAnchor: 'start', labelPadding: 8 },
      },
    },
    spacing,
    bounds: 'flush',
    spec: { width, height, layer: layers(points) },
    config: chartConfig,
  }
  return renderSvg(spec, {
    padding: { left: 74, right: 24, top: 72 + 17 * subtitle.length, bottom: 52 },
    width: panels.length * width + (panels.length - 1) * spacing,
    height,
  })
}

/**
 * The curves, and in the empty corner of each panel the key to those that it has.
 *
 * @param {Point[]} points
 * @returns {any[]} vega-lite's layers
 */
function layers(points) {
  const methods = [...new Set(points.map(({ method }) => method))]
  const style = styles(methods)
  const first = { test: `datum.method === '${methods[0]}'` }
  const strokes = {
    strokeDash: {
      field: 'method',
      type: 'nominal',
      scale: { domain: methods, range: style.map(({ dash }) => dash) },
      legend: null,
    },
    strokeWidth: { condition: { ...first, value: 3 }, value: 1.7 },
  }
  const shared = {
    color: {
      field: 'method',
      type: 'nominal',
      scale: { domain: methods, range: style.map(({ color }) => color) },
      legend: null,
    },
  }
  const keyY = { value: { expr: `height - ${keyRow} * (datum.rows - datum.row) + 2` } }
  const onePerMethod = [{ filter: 'datum.factor === 1' }]
  return [
    {
      mark: { type: 'line', aria: false },
      encoding: { ...axes(), ...shared, ...strokes },
    },
    {
      transform: onePerMethod,
      mark: { type: 'rule', aria: false },
      encoding: { ...shared, ...strokes, x: { value: 106 }, x2: { value: 132 }, y: keyY },
    },
    {
      transform: onePerMethod,
      mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 12.5 },
      encoding: {
        ...shared,
        text: { field: 'method' },
        x: { value: 139 },
        y: keyY,
      },
    },
  ]
}

function axes() {
  const powers = "{'3': '³', '4': '⁴', '5': '⁵', '6': '⁶'}[round(log(datum.value) / log(10))]"
  return {
    x: {
      field: 'factor',
      type: 'quantitative',
      scale: { type: 'log', domain: [1, largestFactor], nice: false },
      axis: {
        title: 'Factor τ',
        values: [1, 10, 100, 1e3, 1e4, 1e5, 1e6],
        labelExpr: `datum.value < 500 ? format(datum.value, '.0f') : '10' + ${powers}`,
        labelOverlap: false,
        labelFlush: false,
      },
    },
    y: {
      field: 'share',
      type: 'quantitative',
      scale: { domain: [0, 1], nice: false },
      axis: { title: 'Share of the cases', format: '.0%', values: [0, 0.2, 0.4, 0.6, 0.8, 1] },
    },
  }
}

/**
 * Few decimals make a smaller file; `row` and `rows` place the method in its panel's key.
 *
 * @param {Point} point
 * @param {number} _
 * @param {Point[]} points
 */
function rounded({ panel, method, factor, share }, _, points) {
  const rows = [...new Set(points.filter((p) => p.panel === panel).map((p) => p.method))]
  return {
    panel,
    method,
    factor: Number(factor.toPrecision(5)),
    share: Math.round(share * 1e4) / 1e4,
    row: rows.indexOf(method),
    rows: rows.length,
  }
}
