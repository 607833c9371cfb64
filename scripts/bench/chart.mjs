/** Speeds and times over the order, as a picture. */
import { chartConfig, chartTitle, renderSvg, styles } from '../reports/chart.mjs'

/** @typedef {{ panel: string, method: string, order: number, value: number }} Point */

/** What the vertical axis says, and how it writes a value (a vega expression of `datum.value`). */
const axisTexts = {
  speed: {
    title: 'Matrices per second',
    label:
      "datum.value >= 1e6 ? datum.value / 1e6 + ' M' : datum.value >= 1e3 ? datum.value / 1e3 + ' k' : datum.value",
  },
  relativeTime: { title: 'Time, matfun = 1', label: 'datum.value' },
}

/** @typedef {keyof typeof axisTexts} Axis */

const width = 390
const height = 330
const spacing = 34
const keyRow = 17

/**
 * @param {Point[]} points panels and methods in their order of appearance
 * @param {{ title: string, subtitle: string[], axis: Axis }} text
 * @returns {Promise<string>} an SVG document
 */
export function drawCurves(points, { title, subtitle, axis }) {
  const panels = [...new Set(points.map(({ panel }) => panel))]
  /** @type {import('vega-lite').TopLevelSpec} */
  const spec = {
    // GitHub's dark theme shows a picture as it is: on white it reads in both.
    background: 'white',
    title: chartTitle(title, subtitle),
    // The last curve lies on top.
    data: { values: [...points.map(rounded).reverse(), ...keyOf(points)] },
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
    spec: { width, height, layer: layers(points, axis) },
    config: chartConfig,
  }
  return renderSvg(spec, {
    padding: { left: 78, right: 190, top: 72 + 17 * subtitle.length, bottom: 52 },
    width: panels.length * width + (panels.length - 1) * spacing,
    height,
  })
}

/**
 * The curves with their points, and to the right of the last panel the key to all of them.
 *
 * @param {Point[]} points
 * @param {Axis} axis
 * @returns {any[]} vega-lite's layers
 */
function layers(points, axis) {
  const methods = [...new Set(points.map(({ method }) => method))]
  const style = styles(methods)
  const color = {
    field: 'method',
    type: 'nominal',
    scale: { domain: methods, range: style.map(({ color }) => color) },
    legend: null,
  }
  const strokes = {
    strokeDash: {
      field: 'method',
      type: 'nominal',
      scale: { domain: methods, range: style.map(({ dash }) => dash) },
      legend: null,
    },
    strokeWidth: { condition: { test: `datum.method === '${methods[0]}'`, value: 3 }, value: 1.7 },
  }
  const keyY = { value: { expr: `${keyRow} * datum.row + 10` } }
  const curves = [{ filter: '!datum.key' }]
  const key = [{ filter: 'datum.key' }]
  return [
    {
      transform: curves,
      mark: { type: 'line', aria: false },
      encoding: { ...axes(points, axis), color, ...strokes },
    },
    {
      transform: curves,
      mark: { type: 'circle', size: 26, opacity: 1, aria: false },
      encoding: { ...axes(points, axis), color },
    },
    {
      transform: key,
      mark: { type: 'rule', aria: false },
      encoding: { color, ...strokes, x: { value: width + 14 }, x2: { value: width + 38 }, y: keyY },
    },
    {
      transform: key,
      mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 12.5 },
      encoding: { color, text: { field: 'method' }, x: { value: width + 44 }, y: keyY },
    },
  ]
}

/**
 * @param {Point[]} points
 * @param {Axis} axis
 */
function axes(points, axis) {
  const orders = [...new Set(points.map(({ order }) => order))].sort((a, b) => a - b)
  const all = points.map(({ value }) => value)
  const decades = [Math.floor(Math.log10(Math.min(...all))), Math.ceil(Math.log10(Math.max(...all)))]
  const values = Array.from({ length: decades[1] - decades[0] + 1 }, (_, k) => 10 ** (decades[0] + k))
  return {
    x: {
      field: 'order',
      type: 'quantitative',
      scale: { type: 'log', base: 2, domain: [orders[0], orders[orders.length - 1]], nice: false },
      axis: { title: 'Order n', values: orders, labelOverlap: false, format: 'd' },
    },
    y: {
      field: 'value',
      type: 'quantitative',
      scale: { type: 'log', domain: [values[0], values[values.length - 1]], nice: false },
      axis: {
        title: axisTexts[axis].title,
        values,
        labelExpr: axisTexts[axis].label,
      },
    },
  }
}

/** @param {Point} point */
function rounded({ value, ...point }) {
  return { ...point, value: Number(value.toPrecision(4)), key: false }
}

/**
 * A row for each method.
 *
 * @param {Point[]} points
 */
function keyOf(points) {
  const { panel } = points[points.length - 1]
  const methods = [...new Set(points.map(({ method }) => method))]
  return methods.map((method, row) => ({ panel, method, row, key: true }))
}
