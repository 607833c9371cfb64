import { parse, View } from 'vega'
import { compile } from 'vega-lite'

/** From calm to alarm, one for each rating from the best on; all dark enough for text on white. */
const colours = ['#1b4f8f', '#2a7ab8', '#1f9384', '#6b8e23', '#b8860b', '#d2601a', '#a61e2d']

const width = 640
const height = 420

/**
 * Draws the default curves with their bands.
 *
 * @param {import('./curves.mjs').Point[]} points
 * @param {{ subtitle: string[], source: string }} text
 * @returns {Promise<string>} an SVG document
 */
export async function drawCurves(points, { subtitle, source }) {
  const ratings = [...new Set(points.map(({ rating }) => rating))]
  const last = Math.max(...points.map(({ year }) => year))
  /** @type {import('vega-lite').TopLevelSpec} */
  const spec = {
    background: 'white',
    // Without a canvas vega can only guess how wide text is, so the margins are fixed.
    autosize: 'none',
    padding: { left: 70, right: 54, top: 92, bottom: 76 },
    width,
    height,
    title: {
      text: 'How likely a firm is to have defaulted, by its rating today',
      subtitle,
      anchor: 'start',
      frame: 'group',
      offset: 16,
      fontSize: 17,
      subtitleFontSize: 12,
      subtitleColor: '#555',
      subtitlePadding: 6,
      subtitleLineHeight: 16,
    },
    data: { values: points.map(rounded) },
    encoding: {
      x: {
        field: 'year',
        type: 'quantitative',
        scale: { domain: [1, last], nice: false },
        axis: { title: 'Years from now', values: [1, 5, 10, 15, 20, 25, 30], grid: false },
      },
      // The square root spreads the small probabilities of good ratings and still begins at 0.
      y: {
        field: 'probability',
        type: 'quantitative',
        scale: { type: 'sqrt', domain: [0, 1], nice: false },
        axis: {
          title: 'Default probability (square-root scale)',
          format: '.0%',
          values: [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
        },
      },
      color: { field: 'rating', type: 'nominal', scale: { domain: ratings, range: colours }, legend: null },
    },
    layer: [
      {
        mark: { type: 'area', opacity: 0.2, aria: false },
        encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
      },
      { mark: { type: 'line', strokeWidth: 2 } },
      {
        transform: [{ filter: `datum.year === ${last}` }],
        mark: { type: 'text', align: 'left', dx: 7, fontSize: 13, fontWeight: 'bold' },
        encoding: { text: { field: 'rating' } },
      },
      {
        data: { values: [{ source }] },
        mark: { type: 'text', align: 'left', fontSize: 11 },
        encoding: {
          x: { value: 0 },
          y: { value: height + 58 },
          color: { value: '#777' },
          text: { field: 'source' },
        },
      },
    ],
    config: {
      font: 'Helvetica, Arial, sans-serif',
      axis: {
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: 'normal',
        gridColor: '#e6e6e6',
        domainColor: '#999',
      },
      view: { stroke: null },
    },
  }
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  return view.toSVG()
}

/**
 * Six decimals are a thousandth of a pixel, and a smaller file.
 *
 * @param {import('./curves.mjs').Point} point
 */
function rounded({ rating, year, probability, low, high }) {
  const [p, l, h] = [probability, low, high].map((x) => Math.round(x * 1e6) / 1e6)
  return { rating, year, probability: p, low: l, high: h }
}
