// Our own words for what the YAML parser refuses; a code without a sentence does not compile.

import type { ErrorCode } from 'yaml'

export const yamlSentence: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*name) cannot have an anchor or a tag',
  BAD_ALIAS: 'an anchor or alias needs a name of letters and digits',
  BAD_DIRECTIVE: 'a line with "%" at its start is read as a directive, and this is none',
  BAD_DQ_ESCAPE: 'an unknown escape after "\\" in a double-quoted text; write "\\\\" for a backslash',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'an anchor or tag stands before the "-", "?" or ":" that it should follow',
  BAD_SCALAR_START: 'a text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a "key: value" inside another value; is the line indented like its neighbours, or should the value be in quotes?',
  BLOCK_IN_FLOW: 'indented lists and mappings cannot stand inside [ ] or { }',
  DUPLICATE_KEY: 'a key is here a second time',
  IMPOSSIBLE: 'this cannot be read',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'something is missing here: a closing quote or bracket, or the ":" after a key',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines; is there a ":" missing, or a quote not closed?',
  MULTIPLE_ANCHORS: 'a value can have only one anchor (&name)',
  MULTIPLE_DOCS: 'there is more than one document',
  MULTIPLE_TAGS: 'a value can have only one tag (!name)',
  NON_STRING_KEY: 'a key must be a text',
  RESOURCE_EXHAUSTION: 'it nests too deep',
  TAB_AS_INDENT: 'a tab is used to indent; YAML allows only spaces',
  TAG_RESOLVE_FAILED: 'the value does not fit its tag',
  UNEXPECTED_TOKEN: 'this character is not expected here',
  BAD_COLLECTION_TYPE: 'the value does not fit its tag',
}
