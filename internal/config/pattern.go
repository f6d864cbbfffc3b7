package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Limits of filter patterns. Sources: CloudWatch Logs User Guide, "Supported
// regular expressions (regex) syntax" and "Filter pattern syntax", quotas.
const (
	regexesPerPattern    = 2
	regexFilters         = 5 // filters with a regular expression that a log group may have
	wildcardsPerSelector = 1
	wildcardsPerPattern  = 3
)

// checkPattern returns why CloudWatch Logs would refuse a filter pattern, and
// nil if it would not. CloudTrail's log events are JSON objects, so a control
// wants a JSON pattern; the other forms of the syntax match them too, as text.
// Where the guide leaves a detail open, checkPattern accepts it.
//
// Source: CloudWatch Logs User Guide, "Filter pattern syntax".
func checkPattern(pattern string) error {
	_, err := scan(pattern)
	return err
}

// scan also returns how many regular expressions the pattern has.
func scan(pattern string) (regexes int, err error) {
	s := &scanner{rest: pattern}
	s.space()
	switch {
	case strings.HasPrefix(s.rest, "{"):
		err = s.json()
	case strings.HasPrefix(s.rest, "["):
		err = s.columns()
	default:
		err = s.terms()
	}
	if err == nil && s.regexes > regexesPerPattern {
		err = fmt.Errorf("it has %d regular expressions; use at most %d", s.regexes, regexesPerPattern)
	}
	if err == nil && s.wildcards > wildcardsPerPattern {
		err = fmt.Errorf("its fields have %d wildcards; use at most %d", s.wildcards, wildcardsPerPattern)
	}
	return s.regexes, err
}

// A scanner reads a filter pattern from left to right.
type scanner struct {
	rest      string
	regexes   int
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
func (s *scanner) match(expression *regexp.Regexp) string {
	found := expression.FindString(s.rest)
	s.skip(found)
	return found
}

// want reads text, or returns an error that says where it is missing.
func (s *scanner) want(text string) error {
	if s.skip(text) {
		return nil
	}
	return fmt.Errorf("%s is missing %s", text, s.here())
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
	selectorShape = regexp.MustCompile(`^\$(\.([\w-]+|\*)|\.?\[(\d+|\*|'[^']+'|"[^"]+")\])+`)
	quotedShape   = regexp.MustCompile(`'[^']+'|"[^"]+"`)
	operatorShape = regexp.MustCompile(`^(!=|<=|>=|=|<|>)`)
	wordShape     = regexp.MustCompile(`^[^\s"'%(){}\[\]&|,=<>!]+`)
	plainShape    = regexp.MustCompile(`^([\w.*]+|[-+]?[\d.*]+([eE][-+]?\d+)?)$`) // needs no quotes
	numberShape   = regexp.MustCompile(`^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$`)
	nullShape     = regexp.MustCompile(`^(?i:IS\s+(NULL|TRUE|FALSE)|NOT\s+EXISTS)\b`)
	columnShape   = regexp.MustCompile(`^\w[\w-]*`)
	termShape     = regexp.MustCompile(`^\w+(\s|$)`)
	regexShape    = regexp.MustCompile(`^[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+. ]+$`) // the guide's list lacks the blank, but its examples have it
)

// json reads { condition }.
func (s *scanner) json() error {
	s.skip("{")
	if err := s.conditions(); err != nil {
		return err
	}
	if err := s.want("}"); err != nil {
		return err
	}
	if s.rest != "" {
		return fmt.Errorf("nothing may follow the closing brace: remove %q", s.rest)
	}
	return nil
}

// conditions reads conditions that && and || combine.
func (s *scanner) conditions() error {
	for {
		if err := s.condition(); err != nil {
			return err
		}
		if !s.skip("&&") && !s.skip("||") {
			return nil
		}
	}
}

// condition reads conditions in parentheses, or a selector and what it must be.
func (s *scanner) condition() error {
	if s.skip("(") {
		if err := s.conditions(); err != nil {
			return err
		}
		return s.want(")")
	}
	selector := s.match(selectorShape)
	if selector == "" {
		return fmt.Errorf("a field such as $.eventName is missing %s", s.here())
	}
	wildcards := strings.Count(quotedShape.ReplaceAllString(selector, ""), "*")
	if s.wildcards += wildcards; wildcards > wildcardsPerSelector {
		return fmt.Errorf("%s has %d wildcards; use at most %d in one field", selector, wildcards, wildcardsPerSelector)
	}
	if s.match(nullShape) != "" {
		return nil
	}
	operator := s.match(operatorShape)
	if operator == "" {
		return fmt.Errorf("one of =, !=, <, >, <=, >=, IS NULL, IS TRUE, IS FALSE and NOT EXISTS is missing %s", s.here())
	}
	return s.value(operator)
}

// value reads what a field is compared with.
func (s *scanner) value(operator string) error {
	switch {
	case strings.HasPrefix(s.rest, `"`), strings.HasPrefix(s.rest, "%"):
		if operator != "=" && operator != "!=" {
			return fmt.Errorf("%s compares numbers: use = or != %s", operator, s.here())
		}
		return s.text()
	}
	word := s.match(wordShape)
	if word == "" {
		return fmt.Errorf("a value is missing %s; put a value with special characters in double quotes", s.here())
	}
	if operator != "=" && operator != "!=" && !numberShape.MatchString(word) {
		return fmt.Errorf("%s compares numbers, and %q is none: use a number, or = or !=", operator, word)
	}
	if !plainShape.MatchString(word) {
		return fmt.Errorf("put %s in double quotes, because it has characters other than letters, digits, _ . and *", word)
	}
	return nil
}

// text reads a quoted string or a regular expression.
func (s *scanner) text() error {
	if s.rest[0] == '%' {
		expression, rest, closed := strings.Cut(s.rest[1:], "%")
		if !closed {
			return errors.New("a regular expression has no closing %: add it")
		}
		s.regexes++
		s.rest = rest
		s.space()
		return checkRegex(expression)
	}
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			s.rest = s.rest[i+1:]
			s.space()
			return nil
		}
	}
	return errors.New("a string has no closing double quote: add it")
}

// checkRegex returns why CloudWatch Logs would refuse a regular expression.
// Source: CloudWatch Logs User Guide, "Supported regular expressions (regex)
// syntax".
func checkRegex(expression string) error {
	switch {
	case strings.ContainsAny(expression, "()"):
		return fmt.Errorf("the regular expression %%%s%% has parentheses, which CloudWatch Logs does not support: use two conditions, or | without parentheses", expression)
	case !regexShape.MatchString(expression):
		return fmt.Errorf("the regular expression %%%s%% has a character that AWS does not take, or none: it may have only letters, digits, blanks, : _ # = @ / ; , - and the operators ^ $ ? [ ] { } | \\ * . and +", expression)
	}
	if _, err := regexp.Compile(expression); err != nil {
		return fmt.Errorf("the regular expression %%%s%% is not valid: %w", expression, err)
	}
	return nil
}

// columns reads [column, …], which matches log events by their words.
func (s *scanner) columns() error {
	s.skip("[")
	for {
		if !s.skip("...") {
			var name string
			if err := s.column(&name); err != nil {
				return err
			}
		}
		if s.skip(",") {
			continue
		}
		if s.rest != "" && s.rest[0] != ']' {
			return fmt.Errorf("a comma between two columns is missing %s", s.here())
		}
		if err := s.want("]"); err != nil {
			return err
		}
		if s.rest != "" {
			return fmt.Errorf("nothing may follow the closing bracket: remove %q", s.rest)
		}
		return nil
	}
}

// column reads the name of a column, or conditions on it that && and || combine.
// They are on one column: AWS refuses [a = 1 && b = 2]. Source: issue 21 of
// awsdocs/amazon-cloudwatch-logs-user-guide, whose example the guide has dropped.
func (s *scanner) column(name *string) error {
	for {
		if s.skip("(") {
			if err := s.column(name); err != nil {
				return err
			}
			if err := s.want(")"); err != nil {
				return err
			}
		} else if err := s.comparison(name); err != nil {
			return err
		}
		if !s.skip("&&") && !s.skip("||") {
			return nil
		}
	}
}

// comparison reads the name of a column, which must be the given one unless that
// is empty, and what the column must be.
func (s *scanner) comparison(name *string) error {
	got := s.match(columnShape)
	switch {
	case got == "":
		return fmt.Errorf("the name of a column, such as w1, is missing %s", s.here())
	case *name != "" && *name != got:
		return fmt.Errorf("%s and %s are two columns: put a comma between them, or use two controls", *name, got)
	}
	*name = got
	if operator := s.match(operatorShape); operator != "" {
		return s.value(operator)
	}
	return nil
}

// terms reads words that a log event must, may (?) or must not (-) contain.
func (s *scanner) terms() error {
	for s.rest != "" {
		if s.rest[0] == '?' || s.rest[0] == '-' {
			s.rest = s.rest[1:]
		}
		switch {
		case strings.HasPrefix(s.rest, `"`), strings.HasPrefix(s.rest, "%"):
			if err := s.text(); err != nil {
				return err
			}
		case s.match(termShape) == "":
			return fmt.Errorf("a condition on a field needs braces, as in { $.eventName = ConsoleLogin }, and a word with special characters needs double quotes; the pattern goes wrong %s", s.here())
		}
	}
	return nil
}
