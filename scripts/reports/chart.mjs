/** What the charts of the reports have in common. */
import { parse, View } from 'vega'
import { compile } from 'vega-lite'

/** By library; a second version of one is dashed and lighter. All are dark enough for text on white. */
const colors = new Map([
  ['matfun', ['#c2185b', '#e0679a']],
  ['SciPy', ['#1b4f8f', '#2a86b5']],
  ['PyTorch', ['#3d6b23', '#6f9440']],
  ['mathjs', ['#b06a00', '#cf8f33']],
  ['JAX', ['#6a3d9a', '#9467bd']],
  ['Eigen', ['#00695c', '#26a69a']],
  ['GSL', ['#5d4037', '#8d6e63']],
  ['Armadillo', ['#7a7000', '#a59a20']],
])

/**
 * Each method's color and dash.
 *
 * @param {string[]} methods with their versions
 * @returns {{ color: string, dash: number[] }[]}
 */
export function styles(methods) {
  const libraries = methods.map((method) => method.split(' ')[0])
  return libraries.map((library, k) => {
    const isSecond = libraries.indexOf(library) < k
    return {
      color: (colors.get(library) ?? ['#555', '#888'])[isSecond ? 1 : 0],
      dash: isSecond ? [6, 3] : [1, 0],
    }
  })
}

/**
 * @param {string} text
 * @param {string[]} subtitle
 */
export function chartTitle(text, subtitle) {
  return {
    text,
    subtitle,
    anchor: /** @type {const} */ ('start'),
    frame: /** @type {const} */ ('group'),
    offset: 18,
    fontSize: 16,
    subtitleFontSize: 12.5,
    subtitleColor: '#555',
    subtitlePadding: 6,
    subtitleLineHeight: 17,
  }
}

/** @type {import('vega-lite').Config} */
export const chartConfig = {
  font: 'Helvetica, Arial, sans-serif',
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: '#e6e6e6',
    domainColor: '#999',
    tickColor: '#999',
    labelColor: '#333',
    titleColor: '#333',
  },
  view: { stroke: null },
}

/**
 * @param {import('vega-lite').TopLevelSpec} spec
 * @param {{ padding: { left: number, right: number, top: number, bottom: number }, width: number, height: number }} frame
 *   of all panels; without a canvas vega can only guess how wide text is, so the margins are fixed
 * @returns {Promise<string>} an SVG document
 */
export function renderSvg(spec, frame) {
  const fixed = { ...compile(spec).spec, autosize: /** @type {const} */ ('none'), ...frame }
  return new View(parse(fixed), { renderer: 'none' }).toSVG()
}
