/** The words that a policy is said in. */

/**
 * How to decide. `standard`: the paper's numbers, sentences by their text, the aligned answer judged once more. `balanced`: as
 * that, and who changes a picture does not walk past CLIP, for fewer tokens: the gate `lowAnswerOrBoth`, which needs a low
 * threshold, candidates in two helpings, and a ladder before the fixed sentence. `paper`: the decisions of the paper's reference
 * code, exactly. Any option named beside it goes before it.
 */
export type PolicyName = 'standard' | 'balanced' | 'paper';

/**
 * What is done for safety. `vanilla`: nothing. `pre`: the CLIP score alone decides whether to align. `post`: the reward
 * alone decides. `shallow`: ETA's gate, then one greedy answer behind the interference prefix, no search. `deep`: ETA's
 * gate, then the search without the prefix. `eta`: gate, prefix and search. `ecso`: the reward alone decides; then, without
 * prefix and search, an answer from the model's own description of the picture, which it does not see; without a picture
 * nothing. `steered`: ETA's gate, then, without prefix and search, an answer under the safety vector that was loaded.
 */
export type Method = 'vanilla' | 'pre' | 'post' | 'shallow' | 'deep' | 'eta' | 'ecso' | 'steered';

/**
 * Who has to distrust before an answer is made again. `both`: picture and answer, as the paper; without a picture the answer
 * alone. `either`: one of the two is enough. `picture`, `answer`: that one alone is asked. `lowAnswerOrBoth`: both, or an
 * answer whose reward (or decision) is very low, whatever is shown: at most `lowReward` (`lowDecision`).
 */
export type Gate = 'both' | 'either' | 'picture' | 'answer' | 'lowAnswerOrBoth';

/**
 * What is tried, one after the other, while even the aligned answer is unsafe. `refusingPrefix`: aligned once more, behind a
 * beginning that refuses. `caption`: the model says what the picture shows, and answers from that, the picture unseen.
 * `steered`: the question is read and answered under the safety vector that was loaded.
 */
export type Rung = 'refusingPrefix' | 'caption' | 'steered';

/**
 * How the model's own answer goes out where it is judged. `whole`: all at once. `checked`: sentence by sentence, each when
 * the judge has accepted everything up to it.
 */
export type Release = 'whole' | 'checked';
