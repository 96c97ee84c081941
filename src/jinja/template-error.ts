/** What a template does that Python would not, or that is not known here: the one error of this folder. */
export class TemplateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TemplateError';
  }
}

/** A template that takes more steps than any conversation needs: asking it again in another way is no help. */
export class TooManySteps extends TemplateError {
  constructor(message: string) {
    super(message);
    this.name = 'TooManySteps';
  }
}
