import { expect, it } from 'vitest';
import { configText, realFields } from './config-text.js';

it('keeps numbers with a point as such', () => {
  const text = '{"a": 4.0, "b": 4, "c": {"d": 1e3, "e": -2.50}, "f": "3.0", "rope_theta": 5}';
  expect([...realFields(text)]).toEqual(['a', 'd', 'e']);
  const written = configText(JSON.parse(text), realFields(text));
  expect(written).toMatch(/"a": 4\.0,\n {2}"b": 4,/);
  expect(written).toMatch(/"d": 1000\.0,\n {4}"e": -2\.5\n/);
  expect(written).toContain('"f": "3.0"');
  expect(written).toContain('"rope_theta": 5.0');
  expect(JSON.parse(written)).toEqual(JSON.parse(text));
});

it('knows fields of floats without an example', () => {
  const config = { rms_norm_eps: 1, hidden_size: 4, rope_scaling: { factor: 8, type: 'linear' } };
  const written = configText(config);
  expect(written).toMatch(/"rms_norm_eps": 1\.0,\n {2}"hidden_size": 4,/);
  expect(written).toContain('"factor": 8.0,');
});
