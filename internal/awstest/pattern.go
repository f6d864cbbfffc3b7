package awstest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// testMetricFilter returns which of some messages a filter pattern matches. It takes
// 1 to 50 messages, which need not be in any log group. Source: CloudWatch Logs API
// Reference, TestMetricFilter.
func testMetricFilter(_ *request, in *cloudwatchlogs.TestMetricFilterInput) (*cloudwatchlogs.TestMetricFilterOutput, error) {
	if n := len(in.LogEventMessages); n < 1 || n > 50 {
		return nil, refuse("InvalidParameterException", "%d messages", n)
	}
	out := &cloudwatchlogs.TestMetricFilterOutput{}
	for i, message := range in.LogEventMessages {
		matches, err := Matches(aws.ToString(in.FilterPattern), message)
		if err != nil {
			return nil, refuse("InvalidParameterException", "Invalid metric filter pattern: %v", err)
		}
		if matches {
			out.Matches = append(out.Matches, types.MetricFilterMatchRecord{EventNumber: int64(i + 1), EventMessage: aws.String(message)})
		}
	}
	return out, nil
}

// Matches reports whether a JSON filter pattern matches a message. It knows
// comparisons of texts with wildcards and of numbers, EXISTS, NOT EXISTS and IS, and
// [*] for any member of a list. A field that does not exist satisfies no comparison,
// so that no test relies on one that does (the guide says nothing of that). Source:
// CloudWatch Logs User Guide, "Filter pattern syntax".
func Matches(pattern, message string) (bool, error) {
	var record any // what is no JSON has no field
	_ = json.Unmarshal([]byte(message), &record)
	p := &patternReader{rest: strings.TrimSpace(pattern), record: record}
	if !p.skip("{") {
		return false, fmt.Errorf("%q is no JSON pattern", pattern)
	}
	matches := p.any()
	if !p.skip("}") || p.rest != "" || p.failed {
		return false, fmt.Errorf("what does %q mean", p.rest)
	}
	return matches, nil
}

type patternReader struct {
	rest   string
	record any
	failed bool
}

func (p *patternReader) skip(text string) bool {
	rest, found := strings.CutPrefix(p.rest, text)
	if found {
		p.rest = strings.TrimLeft(rest, " \t\r\n")
	}
	return found
}

func (p *patternReader) any() bool {
	matches := p.all()
	for p.skip("||") {
		matches = p.all() || matches
	}
	return matches
}

func (p *patternReader) all() bool {
	matches := p.one()
	for p.skip("&&") {
		matches = p.one() && matches
	}
	return matches
}

var (
	patternField = regexp.MustCompile(`^\$(\.[A-Za-z0-9_-]+|\[(\d+|\*)\])+`)
	patternStep  = regexp.MustCompile(`[A-Za-z0-9_-]+|\*`)
	patternValue = regexp.MustCompile(`^("(\\.|[^"\\])*"|[^\s"(){}&|=!<>]+)`)
)

// one reads a comparison, or a pattern in parentheses.
func (p *patternReader) one() bool {
	if p.skip("(") {
		matches := p.any()
		p.failed = p.failed || !p.skip(")")
		return matches
	}
	field := patternField.FindString(p.rest)
	if field == "" {
		p.failed = true
		return false
	}
	p.rest = strings.TrimLeft(p.rest[len(field):], " \t\r\n")
	found := at(p.record, patternStep.FindAllString(field, -1))
	switch {
	case p.skip("NOT EXISTS"):
		return len(found) == 0
	case p.skip("EXISTS"):
		return len(found) > 0
	case p.skip("IS NULL"):
		return slices.Contains(found, nil)
	case p.skip("IS TRUE"):
		return slices.Contains(found, any(true))
	case p.skip("IS FALSE"):
		return slices.Contains(found, any(false))
	}
	for _, op := range []string{"!=", ">=", "<=", "=", ">", "<"} {
		if p.skip(op) {
			value := patternValue.FindString(p.rest)
			p.failed = p.failed || value == ""
			p.skip(value)
			return slices.ContainsFunc(found, func(v any) bool { return compares(v, op, strings.Trim(value, `"`)) })
		}
	}
	p.failed = true
	return false
}

// at returns the values at a path: several if a step is a wildcard.
func at(node any, path []string) (found []any) {
	if len(path) == 0 {
		return []any{node}
	}
	switch node := node.(type) {
	case map[string]any:
		if v, exists := node[path[0]]; exists {
			return at(v, path[1:])
		}
	case []any:
		for i, v := range node {
			if path[0] == "*" || path[0] == strconv.Itoa(i) {
				found = append(found, at(v, path[1:])...)
			}
		}
	}
	return found
}

func compares(got any, op, want string) bool {
	number, err := strconv.ParseFloat(want, 64)
	if got, is := got.(float64); is && err == nil {
		switch op {
		case ">":
			return got > number
		case "<":
			return got < number
		case ">=":
			return got >= number
		case "<=":
			return got <= number
		}
		return (got == number) == (op == "=")
	}
	text := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, ".*") + "$")
	equal := text.MatchString(fmt.Sprint(got))
	return op == "=" && equal || op == "!=" && !equal
}
