package pattern

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/relight-aws/relight/internal/lazy"
)

// Parse reads a filter pattern. Where the guide leaves a detail of the syntax open,
// Parse accepts it. It returns an *Error for what CloudWatch Logs would refuse.
//
// Source: CloudWatch Logs User Guide, "Filter pattern syntax" (documented).
func Parse(text string) (*Pattern, error) {
	p := &Pattern{text: text}
	s := &scanner{pattern: p, rest: text}
	s.space()
	var err error
	switch {
	case strings.HasPrefix(s.rest, "{"):
		p.form, err = object, s.json()
	case strings.HasPrefix(s.rest, "["):
		p.form, err = delimited, s.columns()
	default:
		err = s.terms()
	}
	if err == nil && p.regexes > RegexesPerPattern {
		err = s.wrong("it has %d regular expressions; use at most %d", p.regexes, RegexesPerPattern)
	}
	if err == nil && s.wildcards > wildcardsPerPattern {
		err = s.wrong("its fields have %d wildcards; use at most %d", s.wildcards, wildcardsPerPattern)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// A scanner reads a filter pattern from left to right.
type scanner struct {
	pattern   *Pattern
	rest      string
	wildcards int // in selectors
}

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t\r\n") }

// skip reads text, and space after it, and reports whether it was there.
func (s *scanner) skip(text string) bool {
	rest, found := strings.CutPrefix(s.rest, text)
	if found {
		s.rest = rest
		s.space()
	}
	return found
}

// match reads what the expression matches, and space after it.
func (s *scanner) match(expression lazy.Regexp) string {
	found := expression.FindString(s.rest)
	s.skip(found)
	return found
}

// wrong returns an error at the place where the scanner is.
func (s *scanner) wrong(format string, args ...any) error { return s.wrongAt(s.rest, format, args...) }

// wrongAt returns an error at the place where a rest of the pattern begins.
func (s *scanner) wrongAt(rest, format string, args ...any) error {
	return &Error{Pattern: s.pattern.text, Column: columnOf(s.pattern.text, rest), Reason: fmt.Sprintf(format, args...)}
}

// want reads text, or returns an error that says where it is missing.
func (s *scanner) want(text string) error {
	if s.skip(text) {
		return nil
	}
	return s.wrong("%s is missing %s", text, s.here())
}

// here says where in the pattern the scanner is.
func (s *scanner) here() string {
	if s.rest == "" {
		return "at the end"
	}
	at := []rune(s.rest)
	if len(at) > 20 {
		return fmt.Sprintf("before %q", string(at[:20])+"…")
	}
	return fmt.Sprintf("before %q", s.rest)
}

var (
	selectorShape = lazy.Compile(`^\$(\.([\w-]+|\*)|\.?\[(\d+|\*|'[^']+'|"[^"]+")\])+`)
	stepShape     = lazy.Compile(`^(?:\.?\[(?:(\d+|\*)|'([^']+)'|"([^"]+)")\]|\.([\w-]+|\*))`)
	plainShape    = lazy.Compile(`^([\w.*]+|[-+]?[\d.*]+([eE][-+]?\d+)?)$`) // needs no quotes
	numberShape   = lazy.Compile(`^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$`)
	stateShape    = lazy.Compile(`^(?i:IS\s+(NULL|TRUE|FALSE)|NOT\s+EXISTS)\b`)
	columnShape   = lazy.Compile(`^\w[\w-]*`)
	termShape     = lazy.Compile(`^\w+(\s|$)`)
	regexShape    = lazy.Compile(`^[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+. ]+$`) // the guide's list lacks the blank, but its examples have it
)

// json reads { condition }.
func (s *scanner) json() (err error) {
	s.skip("{")
	if s.pattern.all, err = s.conditions(s.condition); err != nil {
		return err
	}
	if err := s.want("}"); err != nil {
		return err
	}
	if s.rest != "" {
		return s.wrong("nothing may follow the closing brace: remove %q", s.rest)
	}
	return nil
}

// conditions reads conditions that && and || combine; && binds first.
func (s *scanner) conditions(one func() (*expression, error)) (*expression, error) {
	var any, all []*expression
	for {
		x, err := one()
		if err != nil {
			return nil, err
		}
		all = append(all, x)
		if s.skip("&&") {
			continue
		}
		any = append(any, combine(all, func(list []*expression) *expression { return &expression{and: list} }))
		if all = nil; !s.skip("||") {
			return combine(any, func(list []*expression) *expression { return &expression{or: list} }), nil
		}
	}
}

func combine(list []*expression, with func([]*expression) *expression) *expression {
	if len(list) == 1 {
		return list[0]
	}
	return with(list)
}

// operators are what a value may follow, the longer ones first.
var operators = []operator{unequal, atMost, atLeast, equal, less, more}

// operator reads an operator, or returns "".
func (s *scanner) operator() operator {
	for _, op := range operators {
		if s.skip(string(op)) {
			return op
		}
	}
	return ""
}

// word reads what may be a value without quotes, or returns "".
func (s *scanner) word() string {
	end := strings.IndexFunc(s.rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"'%(){}[]&|,=<>!`, r) })
	if end < 0 {
		end = len(s.rest)
	}
	word := s.rest[:end]
	s.skip(word)
	return word
}

// condition reads conditions in parentheses, or a selector and what it must be.
func (s *scanner) condition() (*expression, error) {
	if s.skip("(") {
		x, err := s.conditions(s.condition)
		if err != nil {
			return nil, err
		}
		return x, s.want(")")
	}
	before := s.rest
	text := s.match(selectorShape)
	if text == "" {
		return nil, s.wrong("a field such as $.eventName is missing %s", s.here())
	}
	field := parseSelector(text)
	wildcards := 0
	for _, step := range field {
		if step == "*" || step == "[*]" {
			wildcards++
		}
	}
	if s.wildcards += wildcards; wildcards > wildcardsPerSelector {
		return nil, s.wrongAt(before, "%s has %d wildcards; use at most %d in one field", text, wildcards, wildcardsPerSelector)
	}
	op := s.operator()
	if op == "" {
		if state := s.match(stateShape); state != "" {
			return &expression{comparison: comparison{field: field, operator: operator(strings.ToUpper(strings.Join(strings.Fields(state), " ")))}}, nil
		}
		return nil, s.wrong("one of =, !=, <, >, <=, >=, IS NULL, IS TRUE, IS FALSE and NOT EXISTS is missing %s", s.here())
	}
	v, err := s.value(op)
	return &expression{comparison: comparison{field: field, operator: op, value: v}}, err
}

// parseSelector reads a selector that has the shape of one. A key begins with a dot,
// so that none looks like a position.
func parseSelector(text string) (steps selector) {
	if !strings.ContainsAny(text, "[*") { // the most
		for _, key := range strings.Split(text, ".")[1:] {
			steps = append(steps, "."+key)
		}
		return steps
	}
	for text = text[1:]; text != ""; {
		m := stepShape.FindStringSubmatch(text)
		switch {
		case m[1] != "":
			steps = append(steps, "["+m[1]+"]")
		case m[4] == "*":
			steps = append(steps, "*")
		default:
			steps = append(steps, "."+m[2]+m[3]+m[4])
		}
		text = text[len(m[0]):]
	}
	return steps
}

// value reads what a field is compared with.
func (s *scanner) value(op operator) (value, error) {
	ordered := op != equal && op != unequal
	if strings.HasPrefix(s.rest, `"`) || strings.HasPrefix(s.rest, "%") {
		if ordered {
			return value{}, s.wrong("%s compares numbers: use = or != %s", op, s.here())
		}
		return s.quoted()
	}
	before := s.rest
	word := s.word()
	switch {
	case word == "":
		return value{}, s.wrong("a value is missing %s; put a value with special characters in double quotes", s.here())
	case ordered && !numberShape.MatchString(word):
		return value{}, s.wrongAt(before, "%s compares numbers, and %q is none: use a number, or = or !=", op, word)
	case !plainShape.MatchString(word):
		return value{}, s.wrongAt(before, "put %s in double quotes, because it has characters other than letters, digits, _ . and *", word)
	}
	v := value{text: word}
	if !unicode.IsLetter(rune(word[0])) && numberShape.MatchString(word) {
		number, _ := strconv.ParseFloat(word, 64) // one that is too large is infinite
		v.number = &number
	}
	return v, nil
}

// quoted reads a quoted string or a regular expression.
func (s *scanner) quoted() (value, error) {
	before := s.rest
	if s.rest[0] == '%' {
		text, rest, closed := strings.Cut(s.rest[1:], "%")
		if !closed {
			return value{}, s.wrong("a regular expression has no closing %%: add it")
		}
		regex, err := parseRegex(text)
		if err != nil {
			return value{}, s.wrong("%v", err)
		}
		s.pattern.regexes++
		s.rest = rest
		s.space()
		return value{text: text, regex: regex}, nil
	}
	var text strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '\\' && i+1 < len(s.rest):
			i++
			text.WriteByte(s.rest[i])
		case c == '"':
			s.rest = s.rest[i+1:]
			s.space()
			return value{text: text.String()}, nil
		default:
			text.WriteByte(c)
		}
	}
	return value{}, s.wrongAt(before, "a string has no closing double quote: add it")
}

// parseRegex reads a regular expression, or says why CloudWatch Logs would refuse it.
// Source: CloudWatch Logs User Guide, "Supported regular expressions (regex)
// syntax" (documented).
func parseRegex(text string) (*regexp.Regexp, error) {
	switch {
	case strings.ContainsAny(text, "()"):
		return nil, fmt.Errorf("the regular expression %%%s%% has parentheses, which CloudWatch Logs does not support: use two conditions, or | without parentheses", text)
	case !regexShape.MatchString(text):
		return nil, fmt.Errorf("the regular expression %%%s%% has a character that AWS does not take, or none: it may have only letters, digits, blanks, : _ # = @ / ; , - and the operators ^ $ ? [ ] { } | \\ * . and +", text)
	}
	regex, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %%%s%% is not valid: %w", text, err)
	}
	return regex, nil
}

// columns reads [column, …], which matches log events by their words.
func (s *scanner) columns() error {
	s.skip("[")
	for {
		c := column{}
		if c.rest = s.skip("..."); !c.rest {
			var err error
			if c.is, err = s.column(&c.name); err != nil {
				return err
			}
		}
		s.pattern.columns = append(s.pattern.columns, c)
		if s.skip(",") {
			continue
		}
		if s.rest != "" && s.rest[0] != ']' {
			return s.wrong("a comma between two columns is missing %s", s.here())
		}
		if err := s.want("]"); err != nil {
			return err
		}
		if s.rest != "" {
			return s.wrong("nothing may follow the closing bracket: remove %q", s.rest)
		}
		return nil
	}
}

// column reads the name of a column, or conditions on it that && and || combine.
// They are on one column: AWS refuses [a = 1 && b = 2]. Source: issue 21 of
// awsdocs/amazon-cloudwatch-logs-user-guide, whose example the guide has dropped.
// It returns nil if there is no condition.
func (s *scanner) column(name *string) (*expression, error) {
	x, err := s.conditions(func() (*expression, error) {
		if s.skip("(") {
			x, err := s.column(name)
			if err != nil {
				return nil, err
			}
			return x, s.want(")")
		}
		return s.comparison(name)
	})
	if err != nil {
		return nil, err
	}
	return x.conditioned(), nil
}

// comparison reads the name of a column, which must be the given one unless that
// is empty, and what the column must be. It returns nil for a name alone.
func (s *scanner) comparison(name *string) (*expression, error) {
	before := s.rest
	got := s.match(columnShape)
	switch {
	case got == "":
		return nil, s.wrong("the name of a column, such as w1, is missing %s", s.here())
	case *name != "" && *name != got:
		return nil, s.wrongAt(before, "%s and %s are two columns: put a comma between them, or use two controls", *name, got)
	}
	*name = got
	op := s.operator()
	if op == "" {
		return nil, nil
	}
	v, err := s.value(op)
	return &expression{comparison: comparison{operator: op, value: v}}, err
}

// conditioned returns the expression without operands that are a column's name
// alone, which anything satisfies; nil if nothing is left to satisfy.
func (e *expression) conditioned() *expression {
	if e == nil || e.and == nil && e.or == nil {
		return e
	}
	kept := &expression{}
	for _, x := range e.or {
		if x = x.conditioned(); x == nil {
			return nil
		}
		kept.or = append(kept.or, x)
	}
	for _, x := range e.and {
		if x = x.conditioned(); x != nil {
			kept.and = append(kept.and, x)
		}
	}
	switch {
	case len(kept.and) == 1:
		return kept.and[0]
	case kept.and == nil && kept.or == nil:
		return nil
	}
	return kept
}

// terms reads words that a log event must, may (?) or must not (-) contain.
func (s *scanner) terms() error {
	for s.rest != "" {
		t := term{}
		if s.rest[0] == '?' || s.rest[0] == '-' {
			t.sign = s.rest[0]
			s.rest = s.rest[1:]
		}
		if strings.HasPrefix(s.rest, `"`) || strings.HasPrefix(s.rest, "%") {
			var err error
			if t.value, err = s.quoted(); err != nil {
				return err
			}
		} else if t.text = strings.TrimSpace(s.match(termShape)); t.text == "" {
			return s.wrong("a condition on a field needs braces, as in { $.eventName = ConsoleLogin }, and a word with special characters needs double quotes; the pattern goes wrong %s", s.here())
		}
		s.space()
		s.pattern.terms = append(s.pattern.terms, t)
	}
	return nil
}
