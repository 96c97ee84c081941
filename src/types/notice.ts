/** Something that an answer cannot say of itself. */
export interface Notice {
  /**
   * What it is about. `ETA_MINIATURE`: the miniature knows nothing about such a picture, or about a request without
   * one. `ETA_EVALUATOR_DEVICE`: an evaluator does not run on the device that was asked for. `ETA_DECISION_FORM`: a
   * decision's own form takes any guard, or less of a decision than the shipped forms do.
   */
  readonly code: 'ETA_MINIATURE' | 'ETA_EVALUATOR_DEVICE' | 'ETA_DECISION_FORM';
  /** One line. */
  readonly message: string;
}
