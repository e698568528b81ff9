// Writes data/: two small catalogues of the same invented films. The first names things in English
// words, the second by catalogue numbers and German relation names, and each lacks some of the
// facts of the other. Run again it writes the same bytes: node make-data.mjs
import { mkdirSync, writeFileSync } from 'node:fs';

const data = new URL('data/', import.meta.url);
let state = 20261126;

/** A whole number below `n` from a small linear congruential generator. */
function draw(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}
const pick = (list) => list[draw(list.length)];

/** A permutation of a list. */
function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = draw(i + 1);
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

const named = (kind, names) => names.map((name) => ({ kind, name }));
const films = named(
  'film',
  (
    'Salt Harbour,The Glass Orchard,Night Ferry,Paper Moons,The Quiet Engine,Winter Tram,' +
    'Low Tide,Second Violin,The Map Seller,Copper Sky,Nine Doors,The Borrowed Coat,' +
    'Dust Letters,Green Hour,The Last Orangery,Northern Line,A Minor Key,The Weighing House,' +
    'Blue Ladder,Sleeping Cars,The Cartographer,Open Window,River of Chalk,Small Hours,' +
    'The Clockmaker,Yellow Field,Signal Box'
  ).split(','),
);
const directors = named(
  'director',
  'Adler,Brandt,Castel,Dorn,Ekman,Falk,Grau,Hollis,Ivens'.split(','),
);
const actors = named(
  'actor',
  'Abel,Bruno,Clara,Dina,Edgar,Frida,Gustav,Hanna,Ida,Jonas,Klara,Leo,Mira,Nils'.split(','),
);
const genres = named('genre', 'drama,comedy,thriller,documentary,musical'.split(','));
const cities = named('city', 'Arden,Belmont,Corvey,Delft,Elsmere'.split(','));
const entities = [...films, ...directors, ...actors, ...genres, ...cities];

/** What is true in the world of both catalogues: `[head, relation, tail]`. */
const facts = [
  ...films.flatMap((film, index) => [
    [film, 'directed by', directors[index % directors.length]],
    ...shuffled(actors)
      .slice(0, 2 + draw(3))
      .map((actor) => [film, 'starring', actor]),
    [film, 'genre', pick(genres)],
    [film, 'set in', pick(cities)],
  ]),
  ...[...directors, ...actors].map((person) => [person, 'born in', pick(cities)]),
  ...films
    .slice(1)
    .filter(() => draw(4) === 0)
    .map((film) => [film, 'sequel of', films[0]]),
];
const attributes = entities.flatMap((entity) => {
  if (entity.kind === 'film')
    return [
      [entity, 'year'],
      [entity, draw(2) ? 'runtime' : 'budget'],
    ];
  if (entity.kind === 'city') return [[entity, 'population']];
  return entity.kind === 'genre'
    ? []
    : [
        [entity, 'birth date'],
        [entity, draw(2) ? 'height' : 'award'],
      ];
});

const german = {
  'directed by': 'Regie',
  starring: 'Besetzung',
  genre: 'Gattung',
  'set in': 'Schauplatz',
  'born in': 'Geburtsort',
  'sequel of': 'Fortsetzung von',
};
const slug = (entity) => `${entity.kind}/${entity.name.toLowerCase().replaceAll(' ', '-')}`;
const numbers = new Map(shuffled(entities).map((entity, index) => [entity, `K${100 + index}`]));

function write(file, header, rows) {
  const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const lines = [header, ...rows].map((row) => row.map(quoted).join(','));
  writeFileSync(new URL(file, data), `${lines.join('\n')}\n`);
}

/** Writes one catalogue; every `skip`-th fact is missing from it. */
function writeCatalogue(name, { skip, entityName, relationName }) {
  const kept = shuffled(facts).filter((_, index) => index % skip !== 0);
  write(
    `${name}.csv`,
    ['head', 'relation', 'tail'],
    kept.map(([head, relation, tail]) => [
      entityName(head),
      relationName(relation),
      entityName(tail),
    ]),
  );
  write(
    `${name}-attributes.csv`,
    ['entity', 'attribute'],
    attributes.map(([entity, attribute]) => [entityName(entity), attribute]),
  );
}

mkdirSync(data, { recursive: true });
const number = (entity) => numbers.get(entity);
writeCatalogue('films', { skip: 12, entityName: slug, relationName: (relation) => relation });
writeCatalogue('katalog', { skip: 9, entityName: number, relationName: (name) => german[name] });
const links = shuffled(entities).map((entity) => [slug(entity), number(entity)]);
write('seeds.csv', ['source', 'target'], links.slice(0, 20));
write('truth.csv', ['source', 'target'], links.slice(20));
