/** The properties of an array object (see ArrayLike2D) as they come. */
interface Source {
  readonly data?: unknown
  readonly shape?: unknown
  readonly dtype?: unknown
  readonly strides?: unknown
  readonly stride?: unknown
  readonly order?: unknown
  readonly offset?: unknown
  readonly storage?: { readonly offset?: unknown } | null
}

/**
 * What an array object says of itself, each property read once, so that a getter or a proxy cannot tell two readers different
 * things. Nothing is checked.
 */
export class Fields {
  readonly data: unknown
  readonly shape: unknown
  readonly dtype: unknown
  readonly strides: unknown
  /** Not read where there are strides: scijs ndarray has another thing of this name, which takes it long to make. */
  readonly order: unknown
  readonly offset: unknown

  constructor(source: Source) {
    this.shape = source.shape
    this.dtype = source.dtype
    this.data = source.data
    this.strides = source.strides ?? source.stride ?? undefined
    this.order = this.strides === undefined ? source.order : undefined
    this.offset = source.offset ?? source.storage?.offset ?? 0
  }
}

/** The fields of an array object; what is none (numbers, nested and typed arrays) as it is. */
export function readOnce(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || input instanceof Fields) return input
  return ArrayBuffer.isView(input) || Array.isArray(input) ? input : new Fields(input)
}
