/** @param share 0 to 1 @returns it in percent with two decimals at most, and never as 0 what is more */
export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 0.01 ? Number(value.toPrecision(1)) : Number(value.toFixed(2))} %`;
}
