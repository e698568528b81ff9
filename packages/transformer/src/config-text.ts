/**
 * config.json as text, with numbers of the kind that `transformers` wants.
 */

/**
 * Fields that are no whole numbers even where their value is one: `transformers` 5 refuses `4`
 * where it wants `4.0`, and JSON of this language knows no difference.
 */
const REAL_FIELDS = [
  ...['attention_dropout', 'attention_factor', 'attn_logit_softcapping', 'attn_pdrop'],
  ...['beta_fast', 'beta_slow', 'dropout_rate', 'embd_pdrop', 'embedding_multiplier', 'factor'],
  ...['final_logit_softcapping', 'hidden_dropout', 'high_freq_factor', 'initializer_factor'],
  ...['initializer_range', 'layer_norm_eps', 'layer_norm_epsilon', 'low_freq_factor'],
  ...['partial_rotary_factor', 'resid_pdrop', 'rms_norm_eps', 'rope_theta', 'rotary_emb_base'],
  ...['rotary_pct'],
];

/** Names of fields whose numbers have a point in a text of JSON. */
export function realFields(text: string): Set<string> {
  const found = text.matchAll(/"(\w+)"\s*:\s*-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)/g);
  return new Set([...found].map(([, name]) => name!));
}

/**
 * The text of a config.
 *
 * @param reals - names of further fields that are no whole numbers; default none.
 */
export function configText(
  config: Readonly<Record<string, unknown>>,
  reals: ReadonlySet<string> = new Set(),
): string {
  const names = new Set([...REAL_FIELDS, ...reals]);
  const text = JSON.stringify(config, null, 2).replaceAll(
    /^(\s*"(\w+)": -?\d+)(,?)$/gm,
    (line, number: string, name: string, comma: string) =>
      names.has(name) ? `${number}.0${comma}` : line,
  );
  return `${text}\n`;
}
