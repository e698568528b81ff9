/** What a model is asked whose answer was cut, in the language of the question. */
export const goOn: Readonly<Record<'en' | 'zh', string>> = {
  en:
    'Your answer was cut at its end. Go on exactly where it stopped: repeat nothing, and add no ' +
    'remark.',
  zh: '你的回答在结尾处被截断了。请从中断的地方继续写，不要重复已写的内容，也不要添加任何说明。',
};
