/**
 * In the place of ports where nothing is called: whatever is asked of it is itself again. Routes are data, so that naming them
 * touches no port.
 */
export const unusable: unknown = new Proxy(() => {}, {
  get: (_, property) =>
    property === Symbol.toPrimitive ? () => '' : property === 'startsWith' ? () => false : unusable,
  apply: () => unusable,
});
