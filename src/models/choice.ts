/** What a caller names, and what it comes to. */

/**
 * The files of each model, one by one; a path that is no absolute one starts from the working directory. All but the reward
 * model may be an address of a hub ("hf:owner/name:Q4_K_M").
 */
export interface ModelPaths {
  /** GGUF of the language model; or a name or an address of a whole, whose other parts hold where none is named here. */
  languageModel: string;
  /**
   * GGUF of the projector (mmproj), or an address of a hub. @default the whole's; none beside a path: the model takes text
   * alone
   */
  projector?: string | undefined;
  /**
   * Folder of the CLIP model, with its manifest.json; or one as others publish it, its vision graph, or an address of a hub.
   * @default the whole's; none beside a path: no method looks at pictures, unless with a `decision` whose guard sees them
   */
  clip?: string | undefined;
  /**
   * Folder of the reward model, with its manifest.json. Beside a set that has a guard it judges in the guard's place.
   * @default the whole's, or its guard; none beside a path: method `vanilla` alone, unless a `decision` judges
   */
  rewardModel?: string | undefined;
}

/**
 * Which models: a name of the registry, an address of a hub ("hf:owner/name:Q4_K_M"), a folder laid out
 * as models/miniature is, or paths.
 */
export type ModelChoice = string | ModelPaths;

/** Files that exist, as absolute paths; null for what the choice does not have. */
export interface ResolvedModels {
  /** As the registry calls them; else the name of the folder, or of the language model's file. */
  readonly name: string;
  /** GGUF of the language model. */
  readonly languageModel: string;
  /** GGUF of the projector. */
  readonly projector: string | null;
  /** Folder of the CLIP model, or the vision graph of one as others publish it. */
  readonly clip: string | null;
  /** Folder of the reward model. */
  readonly rewardModel: string | null;
  /** What its set says beyond files; there for sets that others publish alone. */
  readonly published?: PublishedFacts | undefined;
}

/** What a set of models that others publish says beyond its files. */
export interface PublishedFacts {
  /** Where the set names a threshold of CLIP. */
  readonly unsafeClipScore: PublishedClipScore | null;
  /** The guard that the set has for answers; null without one. */
  readonly guard: PublishedGuard | null;
}

/** A threshold of CLIP that its set names. */
export interface PublishedClipScore {
  /** A picture whose CLIP score, a cosine, is at least this looks unsafe. */
  readonly value: number;
  /** Who found it, on what. */
  readonly source: string;
  /** Whether it was found for these very files. */
  readonly isCalibrated: boolean;
}

/** A guard of a set, asked where no `decision` and no reward model is named. */
export interface PublishedGuard {
  /** How it is asked, such as "qwen3guard": `DecisionChoice.form`. */
  readonly form: string;
  /** Its GGUF. */
  readonly guard: string;
  /** GGUF of its projector. Absent: it reads text alone. */
  readonly guardProjector?: string | undefined;
}
