// Results as CI systems read them: JUnit's XML, as far as they agree on it (testsuites, testsuite, testcase, failure).

export type Case = Readonly<{
  name: string
  file: string
  line: number
  failure: Readonly<{ message: string; text: string }> | null
}>

const ENTITY: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
}

/** Characters that XML 1.0 cannot hold, not even escaped (section 2.2). */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

const text = (value: string): string => value.replace(FORBIDDEN, '\ufffd').replace(/[&<>]/g, (c) => ENTITY[c] ?? c)
/** Line breaks in an attribute would be read as spaces. */
const attribute = (value: string): string =>
  value.replace(FORBIDDEN, '\ufffd').replace(/[&<>"\n\r\t]/g, (c) => ENTITY[c] ?? c)

const caseText = ({ name, file, line, failure }: Case): ReadonlyArray<string> => {
  const open = `    <testcase name="${attribute(name)}" classname="${attribute(file)}" file="${attribute(file)}" line="${line}"`
  return failure === null
    ? [`${open}/>`]
    : [
        `${open}>`,
        `      <failure type="expectation" message="${attribute(failure.message)}">${text(failure.text)}</failure>`,
        '    </testcase>',
      ]
}

export const junit = (suite: string, cases: ReadonlyArray<Case>): string => {
  const failures = cases.filter(({ failure }) => failure !== null).length
  const counts = `tests="${cases.length}" failures="${failures}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="cnm" ${counts}>`,
    `  <testsuite name="${attribute(suite)}" ${counts}>`,
    ...cases.flatMap(caseText),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}
