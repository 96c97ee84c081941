/** Whether two types say the same, asked of the compiler: schemas are held to their interfaces by it. */

/** Asks nothing more of a schema that takes what the interface says; of another, what it cannot have. */
export type Held<Input, Options> = unknown extends Options
  ? unknown
  : Same<Input, NonNullable<Options>> extends true
    ? unknown
    : {
        readonly [Name in Differing<Input, NonNullable<Options>> as `differs from its interface: ${Name & string}`]: 1;
      };

/** Whether two types say the same; whether one of them may be written to makes no difference to who only reads. */
type Same<One, Other> =
  Identical<One, Other> extends true
    ? true
    : Identical<Extract<One, null | undefined>, Extract<Other, null | undefined>> extends false
      ? false
      : SameValues<NonNullable<One>, NonNullable<Other>>;
type SameValues<One, Other> = [One, Other] extends [readonly (infer Element)[], readonly (infer OtherElement)[]]
  ? Same<Element, OtherElement>
  : [One | Other, Extract<One | Other, (...values: never[]) => unknown>] extends [object, never]
    ? [Differing<One, Other>] extends [never]
      ? true
      : false
    : false;
type Identical<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Names of the fields that one of two objects lacks, or types otherwise. */
type Differing<One, Other> = {
  [Name in Names<One> | Names<Other>]: Name extends Names<One> & Names<Other>
    ? Same<At<One, Name>, At<Other, Name>> extends true
      ? never
      : Name
    : Name;
}[Names<One> | Names<Other>];

/** Of a union, the names that any of its members has. */
type Names<Value> = Value extends unknown ? keyof Value : never;
type At<Value, Name> = Value extends unknown ? (Name extends keyof Value ? Value[Name] : undefined) : never;
