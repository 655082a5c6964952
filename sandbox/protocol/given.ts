/** The SDK's input type `T` with the members that the model requires, which validation has already seen. */
export type Given<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };
