/** How many layers may be asked for on the GPU, by every option and flag that does; the addon takes no others. -1: all. */
export const GPU_LAYERS = { least: -1, most: 100_000 } as const;
