import { QueueError } from './error.ts'

/** Where a queue is, and who may use it. */
export interface QueueAddress {
  /**
   * `redis://host:port/db`, or `rediss://` for TLS, whose certificate must be valid for the host (NODE_EXTRA_CA_CERTS names an
   * authority of your own). Redis 6.2 or later, or Valkey. User and password may stand in it, where nobody else reads it.
   */
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
}

/** What a client of Redis connects with. */
export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly db: number
  /** None: commands wait for a server that comes again, however long that takes, as BullMQ wants it. */
  readonly maxRetriesPerRequest: null
  readonly username?: string
  readonly password?: string
  /** Given for an encrypted connection, without any settings of its own. */
  readonly tls?: Record<never, never>
}

/** Reads an address. {@link QueueError} for one that is none; its message holds no password. */
export function connectionOptions({ url, username, password }: QueueAddress): ConnectionOptions {
  const address = URL.canParse(url) ? new URL(url) : undefined
  const db = /^\/?(\d{0,4})$/.exec(address?.pathname ?? '')
  const isSecure = address?.protocol === 'rediss:'
  const user = username ?? decoded(address?.username)
  const secret = password ?? decoded(address?.password)
  const isWhole = address && !address.search && !address.hash && (isSecure || address.protocol === 'redis:')
  if (!isWhole || !address.hostname || !db || user === undefined || secret === undefined)
    throw new QueueError(
      `expected a queue's address as redis://host:port/db or rediss://host:port/db, got ${withoutPassword(url)}`,
    )
  return {
    host: address.hostname.replace(/^\[|\]$/g, ''),
    port: Number(address.port || 6379),
    db: Number(db[1]),
    maxRetriesPerRequest: null,
    ...(user === '' ? {} : { username: user }),
    ...(secret === '' ? {} : { password: secret }),
    ...(isSecure ? { tls: {} } : {}),
  }
}

/** Undefined for text with a % that begins no code. */
function decoded(text = ''): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** An address as it may be shown: whatever stands before the last @ may be a password, however it is written. */
export function withoutPassword(url: string): string {
  const scheme = /^[a-z]+:\/\//i.exec(url)?.[0] ?? ''
  return url.replace(/^.*@/s, `${scheme}***@`)
}
