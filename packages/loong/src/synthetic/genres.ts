/**
 * The kinds of documents of the made-up corpus. Names, values and sentences are invented.
 */

/** An attribute that every document of a genre has. */
export interface GenreAttribute {
  readonly name: string;
  readonly unit: string;
  /** Range of whole numbers. */
  readonly low: number;
  readonly high: number;
  /** Words in place of numbers. */
  readonly choices?: readonly string[] | undefined;
}

/** A kind of document in one language. */
export interface Genre {
  readonly type: string;
  readonly language: 'en' | 'zh';
  readonly names: readonly string[];
  readonly kinds: readonly string[];
  title(name: string, kind: string): string;
  /** Headings of the table of values. */
  readonly heading: readonly string[];
  readonly attributes: readonly GenreAttribute[];
  /** Sentences with places such as `{place}`. */
  readonly sentences: readonly string[];
  readonly words: Readonly<Record<string, readonly string[]>>;
}

const amount = (name: string, unit: string, high: number): GenreAttribute => ({
  ...{ name, unit, low: Math.round(high / 50), high },
});
const choice = (name: string, choices: readonly string[]): GenreAttribute => ({
  ...{ name, unit: '', low: 0, high: 0, choices },
});

const englishWords = {
  place: [
    'the northern plant',
    'the harbour site',
    'the old mill',
    'the upper valley',
    'the annex',
  ],
  group: ['the board', 'the committee', 'the staff', 'the members', 'the auditors', 'the visitors'],
  thing: ['the timetable', 'the procedure', 'the archive', 'the equipment', 'the agreement'],
  manner: ['with care', 'without delay', 'in two steps', 'as before', 'on request', 'in writing'],
  time: ['in spring', 'during the autumn', 'at the end of the period', 'after the holidays'],
  quality: ['stable', 'satisfactory', 'open to discussion', 'well documented', 'under review'],
};

const chineseWords = {
  place: ['北区厂房', '港口园区', '旧仓库', '上游河谷', '附属楼'],
  group: ['董事会', '委员会', '工作人员', '与会成员', '审计人员', '来访人员'],
  thing: ['时间安排', '工作流程', '档案资料', '设备清单', '合作协议'],
  manner: ['认真', '及时', '分两步', '照旧', '应要求', '以书面形式'],
  time: ['春季', '秋季期间', '期末', '假期之后'],
  quality: ['平稳', '令人满意', '有待讨论', '记录完整', '正在复核'],
};

const englishSentences = [
  'The work at {place} was described {manner}, and {group} took note of it {time}.',
  'As to {thing}, {group} found it {quality} and saw no reason for a change.',
  'Questions about {thing} were answered {manner} by {group} {time}.',
  'Nothing in this section bears on the figures; it records how {group} dealt with {thing}.',
  'At {place} the situation remained {quality}, which {group} confirmed {manner}.',
  'It was agreed {time} that {thing} should be looked at again {manner}.',
];

const chineseSentences = [
  '{time}，{group}{manner}说明了{place}的工作情况。',
  '关于{thing}，{group}认为其{quality}，暂不需要调整。',
  '{group}{manner}答复了有关{thing}的问题。',
  '本节内容与数据无关，仅记录{group}如何处理{thing}。',
  '{place}的情况依然{quality}，{group}对此予以确认。',
  '会议商定{time}再次{manner}研究{thing}。',
];

const english = { language: 'en', words: englishWords, sentences: englishSentences } as const;
const chinese = { language: 'zh', words: chineseWords, sentences: chineseSentences } as const;
const englishHeading = ['item', 'value', 'unit'];
const chineseHeading = ['项目', '数值', '单位'];

/** Reports, judgments and papers in English and Chinese. */
export const genres: readonly Genre[] = [
  {
    ...{ type: 'financial', ...english, heading: englishHeading },
    names: ['Alderbrook', 'Brackwater', 'Corvane', 'Dunmarsh', 'Eldwick', 'Fernhollow', 'Garrowby'],
    kinds: ['Mills', 'Shipping', 'Instruments', 'Foods'],
    title: (name, kind) => `${name} ${kind} Annual Report`,
    attributes: [
      amount('Revenue', 'thousand USD', 90_000),
      amount('Net profit', 'thousand USD', 12_000),
      amount('Employees', '', 4_000),
      choice('Auditor', ['Hale and Sons', 'Northgate Partners', 'Lindqvist']),
    ],
  },
  {
    ...{ type: 'financial', ...chinese, heading: chineseHeading },
    names: ['松岭', '云河', '明川', '丰泽', '远帆', '青石', '长滩'],
    kinds: ['纺织', '航运', '仪器', '食品'],
    title: (name, kind) => `${name}${kind}年度报告`,
    attributes: [
      amount('营业收入', '千元', 90_000),
      amount('净利润', '千元', 12_000),
      amount('员工人数', '人', 4_000),
      choice('审计机构', ['恒正事务所', '北门事务所', '林河事务所']),
    ],
  },
  {
    ...{ type: 'judgments', ...english, heading: englishHeading },
    names: ['Ashby', 'Bellweather', 'Crane', 'Dorset', 'Ewing', 'Farrow', 'Gilpin'],
    kinds: ['v. Harbour Board', 'v. Mill Trust', 'v. Orchard Estate', 'v. Tannery'],
    title: (name, kind) => `${name} ${kind}`,
    attributes: [
      amount('Damages awarded', 'USD', 250_000),
      amount('Days of hearing', 'days', 400),
      amount('Witnesses heard', '', 200),
      choice('Cause of action', ['breach of contract', 'trespass', 'unpaid wages']),
    ],
  },
  {
    ...{ type: 'judgments', ...chinese, heading: chineseHeading },
    names: ['安某', '白某', '陈某', '丁某', '冯某', '高某', '何某'],
    kinds: ['与港务公司纠纷案', '与磨坊信托纠纷案', '与果园公司纠纷案', '与皮革厂纠纷案'],
    title: (name, kind) => `${name}${kind}`,
    attributes: [
      amount('判赔金额', '元', 250_000),
      amount('审理天数', '天', 400),
      amount('证人人数', '人', 200),
      choice('案由', ['合同纠纷', '侵权责任纠纷', '劳动报酬纠纷']),
    ],
  },
  {
    ...{ type: 'papers', ...english, heading: englishHeading },
    names: ['Lantern', 'Meridian', 'Nocturne', 'Obelisk', 'Palimpsest', 'Quarry', 'Rivulet'],
    kinds: ['for Parsing', 'for Translation', 'for Retrieval', 'for Dialogue'],
    title: (name, kind) => `${name}: a Model ${kind}`,
    attributes: [
      amount('Parameters', 'million', 70_000),
      amount('Training steps', 'thousand', 900),
      amount('Test samples', '', 50_000),
      choice('Optimiser', ['plain gradient descent', 'momentum', 'adaptive steps']),
    ],
  },
  {
    ...{ type: 'papers', ...chinese, heading: chineseHeading },
    names: ['灯塔', '子午', '夜曲', '石碑', '羊皮卷', '采石', '溪流'],
    kinds: ['句法分析模型', '机器翻译模型', '信息检索模型', '对话生成模型'],
    title: (name, kind) => `${name}：${kind}`,
    attributes: [
      amount('参数量', '百万', 70_000),
      amount('训练步数', '千步', 900),
      amount('测试样本数', '条', 50_000),
      choice('优化方法', ['梯度下降', '动量法', '自适应步长']),
    ],
  },
];
