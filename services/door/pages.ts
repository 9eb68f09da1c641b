export const pageRoutes = (_: unknown) => [];
