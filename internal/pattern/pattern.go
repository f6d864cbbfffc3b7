// Package pattern is the filter pattern language of CloudWatch Logs: it parses
// patterns, says where one is wrong, evaluates one against a log event, and
// compares what two of them mean.
//
// There are three forms. A JSON pattern, { $.eventName = "StopLogging" }, compares
// fields of a log event that is a JSON object. A space-delimited pattern,
// [ip, user, status = 4*], compares the words of a log event by their position. Any
// other pattern is a list of terms that a log event has to contain.
//
// Source: CloudWatch Logs User Guide, "Filter pattern syntax for metric filters,
// subscription filters, filter log events, and Live Tail" (documented). What the
// guide leaves open has its own note where it is decided, with its grade.
package pattern

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/relight-aws/relight/internal/lazy"
)

// Limits of filter patterns. Source: CloudWatch Logs User Guide, "Supported
// regular expressions (regex) syntax" and "Filter pattern syntax", quotas
// (documented).
const (
	RegexesPerPattern    = 2
	RegexesPerGroup      = 5 // filters with a regular expression that a log group may have
	wildcardsPerSelector = 1
	wildcardsPerPattern  = 3
)

// A Pattern is a filter pattern that CloudWatch Logs accepts, as far as its guide
// says.
type Pattern struct {
	text    string
	form    form
	all     *expression // of a JSON pattern
	columns []column
	terms   []term
	regexes int
}

type form uint8

const (
	terms form = iota
	object
	delimited
)

// Regexes returns how many regular expressions the pattern has.
func (p *Pattern) Regexes() int { return p.regexes }

// An Error says where a text stops being a filter pattern, and why.
type Error struct {
	Pattern string
	Column  int // of the first character that is wrong, in characters from 1; one past the end if something is missing there
	Reason  string
}

func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Reason) }

// Mark returns the line of the pattern that is wrong, cut to a width around the
// column, and below it a line with a caret at the column.
func (e *Error) Mark() string {
	const around = 60
	runes, at := []rune(e.Pattern), e.Column-1
	from, to := max(0, at-around), min(len(runes), at+around)
	line := strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' ' // a caret below a tab or in a second line would mislead
		}
		return r
	}, string(runes[from:to]))
	return line + "\n" + strings.Repeat(" ", at-from) + "^"
}

// An expression is a comparison, or expressions that && or || combines.
type expression struct {
	and, or []*expression // one of them, or neither
	comparison
}

// A comparison says what one field has to be.
type comparison struct {
	field    selector
	operator operator
	value    value
}

type operator string

const (
	equal     operator = "="
	unequal   operator = "!="
	less      operator = "<"
	more      operator = ">"
	atMost    operator = "<="
	atLeast   operator = ">="
	isNull    operator = "IS NULL"
	isTrue    operator = "IS TRUE"
	isFalse   operator = "IS FALSE"
	notExists operator = "NOT EXISTS"
)

// A value is what a field is compared with: a text, which may begin and end with a
// wildcard, a number, or a regular expression.
type value struct {
	text   string // without quotes
	number *float64
	regex  *regexp.Regexp
}

// wild returns the value without the wildcards at its ends, and which of them it
// has. A * between other characters is no wildcard: Ev*ent matches only "Ev*ent".
// Source: CloudWatch Logs User Guide, "Filter pattern syntax", as of 2019
// (documented; today's guide shows wildcards at the ends only).
func (v value) wild() (text string, before, after bool) {
	text, before = strings.CutPrefix(v.text, "*")
	if before && text == "" {
		return "", true, true
	}
	text, after = strings.CutSuffix(text, "*")
	return text, before, after
}

// matches reports whether a text is the value, or has its shape.
func (v value) matches(text string) bool {
	if v.regex != nil {
		return v.regex.MatchString(text)
	}
	want, before, after := v.wild()
	switch {
	case before && after:
		return strings.Contains(text, want)
	case before:
		return strings.HasSuffix(text, want)
	case after:
		return strings.HasPrefix(text, want)
	}
	return text == want
}

func (v value) String() string {
	switch {
	case v.regex != nil:
		return "%" + v.text + "%"
	case v.number != nil:
		return strconv.FormatFloat(*v.number, 'g', -1, 64)
	}
	return `"` + escaped.Replace(v.text) + `"`
}

// escaped replaces what is not itself inside quotes.
var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// A selector names fields of a JSON object: steps from its root. A step is a key,
// a position such as "[0]", or "*" or "[*]" for any.
type selector []string

var plainKey = lazy.Compile(`^[\w-]+$`)

func (s selector) String() string {
	var b strings.Builder
	b.WriteByte('$')
	for _, step := range s {
		switch {
		case strings.HasPrefix(step, "["), step == "*":
			if step == "*" {
				b.WriteByte('.')
			}
			b.WriteString(step)
		case plainKey.MatchString(step[1:]):
			b.WriteString("." + step[1:])
		default:
			b.WriteString(`.["` + step[1:] + `"]`)
		}
	}
	return b.String()
}

// several reports whether a selector may name several fields of one object.
func (s selector) several() bool {
	return slices.Contains(s, "*") || slices.Contains(s, "[*]")
}

// A column is a place in a space-delimited pattern.
type column struct {
	rest bool        // "...": any number of words
	name string      // "" if it has none
	is   *expression // nil for anything
}

// A term is what a log event must contain, must not (-), or may (?): one of those.
type term struct {
	sign byte // 0, '-' or '?'
	value
}

// String returns the pattern in canonical form: operands sorted, each once,
// parentheses only where they are needed, texts in quotes. Patterns with the same
// canonical form match the same log events. Columns keep their names.
func (p *Pattern) String() string {
	switch p.form {
	case object:
		return "{ " + p.all.canonical().text("") + " }"
	case delimited:
		var columns []string
		for _, c := range p.columns {
			switch {
			case c.rest:
				columns = append(columns, "...")
			case c.is != nil:
				columns = append(columns, c.is.canonical().text(c.name))
			default:
				columns = append(columns, c.name)
			}
		}
		return "[" + strings.Join(columns, ", ") + "]"
	}
	var words []string
	for _, t := range p.terms {
		word := t.String()
		if t.sign != 0 {
			word = string(t.sign) + word
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

// canonical returns the expression with nested operands of one operator as one
// list, sorted, each once.
func (e *expression) canonical() *expression {
	if e.and == nil && e.or == nil {
		return e
	}
	seen := map[string]*expression{}
	var gather func(x *expression)
	gather = func(x *expression) {
		x = x.canonical()
		switch {
		case e.and != nil && x.and != nil:
			for _, y := range x.and {
				gather(y)
			}
		case e.or != nil && x.or != nil:
			for _, y := range x.or {
				gather(y)
			}
		default:
			seen[x.text("x")] = x
		}
	}
	for _, x := range append(e.and, e.or...) {
		gather(x)
	}
	var list []*expression
	for _, key := range sortedKeys(seen) {
		list = append(list, seen[key])
	}
	switch {
	case len(list) == 1:
		return list[0]
	case e.and != nil:
		return &expression{and: list}
	}
	return &expression{or: list}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// text writes the expression. A column has a name in the place of selectors.
func (e *expression) text(column string) string {
	join := func(list []*expression, by string) string {
		parts := make([]string, len(list))
		for i, x := range list {
			parts[i] = x.text(column)
			if x.or != nil {
				parts[i] = "(" + parts[i] + ")"
			}
		}
		return strings.Join(parts, by)
	}
	switch {
	case e.and != nil:
		return join(e.and, " && ")
	case e.or != nil:
		return join(e.or, " || ")
	}
	if e.field != nil {
		column = e.field.String()
	}
	return column + " " + e.condition()
}

// condition returns what the comparison asks of its field.
func (c comparison) condition() string {
	switch c.operator {
	case isNull, isTrue, isFalse, notExists:
		return string(c.operator)
	}
	return string(c.operator) + " " + c.value.String()
}

// columnOf returns the column, in characters from 1, at which the rest of a text
// begins.
func columnOf(text, rest string) int {
	return utf8.RuneCountInString(text[:len(text)-len(rest)]) + 1
}
