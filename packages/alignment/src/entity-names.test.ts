import { ConfigError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { createNameLookup, entityOfFlag, shortName } from './entity-names.js';

const data = {
  entityIds: Int32Array.of(7, 8, 9, 10),
  entityNames: ['http://a/Lyon', 'http://a/Caf%C3%A9', 'http://b/Lyon', 'http://a/Lyonnais'],
};
const entities = Int32Array.of(0, 1, 2, 3);

describe('shortName', () => {
  it('is the last part, decoded', () => {
    expect(shortName('http://a/b#Caf%C3%A9')).toBe('Café');
    expect(shortName('http://a/50%')).toBe('50%');
    expect(shortName('http://a/')).toBe('http://a/');
    expect(shortName('plain')).toBe('plain');
  });
});

describe('createNameLookup', () => {
  const lookup = createNameLookup(data, entities);

  it('finds by whole name, by id, by a last part that one entity has', () => {
    expect(['http://b/Lyon', '9', 'Café', 'Lyonnais'].map(lookup.find)).toEqual([2, 2, 1, 3]);
    expect(['Lyon', 'Paris', '11'].map(lookup.find)).toEqual([-1, -1, -1]);
  });

  it('knows no ids where the data have none', () => {
    expect(createNameLookup({ ...data, keyedBy: 'name' }, entities).find('9')).toBe(-1);
  });

  it('names the nearest', () => {
    expect(lookup.near('Cafe')[0]).toBe('http://a/Caf%C3%A9');
    expect(lookup.near('Lyon').slice(0, 2)).toEqual(['http://a/Lyon', 'http://b/Lyon']);
  });
});

describe('entityOfFlag', () => {
  const lookup = createNameLookup(data, entities);

  it('is the entity, or an error with the nearest names', () => {
    expect(entityOfFlag(lookup, '--source', 'Café')).toBe(1);
    const attempt = () => entityOfFlag(lookup, '--source', 'Lyonnaise');
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(/--source Lyonnaise/);
    try {
      attempt();
    } catch (error) {
      expect((error as ConfigError).help).toContain('http://a/Lyonnais');
    }
  });
});
