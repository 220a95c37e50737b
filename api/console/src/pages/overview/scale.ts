/** The end of an axis that fits the largest of the values: 1, 2 or 5 times a power of ten, and 1 at least. */
export function axisEnd(values: readonly number[]): number {
  const most = Math.max(1, ...values);
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((end) => end >= most)!;
}

/** A value's part of the axis in percent; what is not nothing can be seen. */
export const percentOf = (value: number, end: number): number =>
  value === 0 ? 0 : Math.max(1, Math.round((value / end) * 100));
