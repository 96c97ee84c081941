/** How a converted model stores its large matrices; arithmetic stays float32. */
export const WEIGHT_TYPES = ['fp32', 'fp16', 'int8', 'int4'] as const;
