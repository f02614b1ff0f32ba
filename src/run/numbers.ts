/** The signal numbers by name. Loaded on demand: `node:os` takes 0.2 ms, and a launch seldom needs it. */
export function signalNumbers(): Record<NodeJS.Signals, number> {
  return process.getBuiltinModule('node:os').constants.signals;
}
