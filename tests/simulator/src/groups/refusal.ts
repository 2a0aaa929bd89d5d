/** The server's no to a change of a group: the code and the word that its error stanza carries. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

export const badRequest = () => new Refusal(400, 'bad-request');
/** To a member who is no admin. */
export const notAuthorized = () => new Refusal(401, 'not-authorized');
/** To who is not in the group. */
export const forbidden = () => new Refusal(403, 'forbidden');
export const notFound = () => new Refusal(404, 'item-not-found');
/** An invite code that never was one. */
export const notAcceptable = () => new Refusal(406, 'not-acceptable');
export const conflict = () => new Refusal(409, 'conflict');
/** An invite code that was replaced, or has expired. */
export const gone = () => new Refusal(410, 'gone');
export const resourceLimit = () => new Refusal(419, 'resource-limit');
