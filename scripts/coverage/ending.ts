// vitest ends its processes by a signal, and gcov writes what it counted where a process exits.
process.once('SIGTERM', () => process.exit())
