package pattern_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/pattern"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{ // "" for a good one
		`{ $.eventName = ConsoleLogin }`:                                          "",
		`{($.a="x\"y")&&(($.b!=*Operation)||($.c NOT EXISTS))}`:                   "",
		`{ $.a.b-c_d[0].e = 1 && $.f[*] >= 1.5e2 && $.g IS NULL && $.h IS TRUE }`: "",
		`{ $.* = "x" }`:                                    "",
		`{ $.['aws:x'] = "y" }`:                            "",
		`{ $.sourceIPAddress != 123.123.* }`:               "",
		`{ $.eventName = %^Delete.*Trail$% && $.a = %b% }`: "",
		`{ $.a = "50% of 100%" }`:                          "",
		`AccessDenied`:                                     "",
		`?ERROR ?"not found" -DEBUG`:                       "",
		`%AUTHORI[SZ]ED%`:                                  "",
		`[ip, user, time, ..., status=4*, bytes > 1000]`:   "",
		`[w1="A B" && w1!=%x%, (w3=1 || w3=2), ...]`:       "",

		// The rest of the examples of the guide's pages.
		`ERROR ARGUMENTS`:                        "",
		`?ERROR ?ARGUMENTS REQUEST`:              "",
		`" "`:                                    "",
		`{ $.errorCode = 400}`:                   "",
		`{ $.number[0] = 1e+3 }`:                 "",
		`{ $.number[0] != 1e-3 }`:                "",
		`{ $.arrayKey[*] = %val.{2}% }`:          "",
		`{ $.* = %111\.111\.111\.1[0-9]{1,2}% }`: "",
		`{ $.['cluster.name'] = "c" }`:           "",
		`{ $.SomeObject IS NULL }`:               "",
		`{ $.ThisFlag IS TRUE }`:                 "",
		`{ $.SomeOtherObject NOT EXISTS }`:       "",
		`{ ($.user.email = "J.S@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }`: "",
		`[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]`:           "",
		`[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]`:        "",
		`[w1!=ERROR && w1!=WARNING, w2]`: "",
		`[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]`: "",
		`%^starting|^initializing|^shutting down%`:                                                   "",
		`%abcc|ab[^c]$%`:     "",
		`%\[.\]%`:            "",
		`%\d{1,3}\.\d{1,3}%`: "",
		`%\x3A\x28%`:         "",
		`%a{,3}%`:            "",
		`[timestamp=*Z, request_id="*-*", event]`:                "",
		`[date, tag="rh-sched*", x01=throttling, ..., length>5]`: "",
		`{ $.a = * && $.b != 111*111 && $.c >= -1.5e-3 }`:        "",
		`{ $.detail-type = "x" }`:                                "",
		`{ $.a[*].b = 1 && $.c[*] = 1 && $.* = "*" }`:            "",
		`{ $.['a.*.b'][*] = "x" }`:                               "",

		`status = 401`:                   "needs braces",
		`$.eventName = ConsoleLogin`:     "needs braces",
		`{ $.a = b`:                      "} is missing at the end",
		`{ ($.a = b }`:                   `) is missing before "}"`,
		`{ $.a = b) }`:                   `} is missing before ") }"`,
		`{ $.a = b } }`:                  "nothing may follow",
		`{ $.a = b } x`:                  "nothing may follow",
		`{ $.a = "b }`:                   "closing double quote",
		`{ $.a = %b }`:                   "closing %",
		`{ $.a = 'b' }`:                  "a value is missing",
		`{ $.a == b }`:                   "a value is missing",
		`{ $.a b }`:                      "is missing before",
		`{ $.a }`:                        "NOT EXISTS is missing",
		`{ a = b }`:                      "$.eventName is missing",
		`{ eventName = "x" }`:            "$.eventName is missing",
		`{ $ = b }`:                      "$.eventName is missing",
		`{ }`:                            "$.eventName is missing",
		`{ $.a = b & $.c = d }`:          "} is missing",
		`{ $.a = b AND $.c = d }`:        "} is missing",
		`{ $.a = b && }`:                 "$.eventName is missing",
		`{ $.a > b }`:                    "compares numbers",
		`{ $.a < "5" }`:                  "compares numbers",
		`{ $.a > %5% }`:                  "compares numbers",
		`{ $.a = %(Delete|Stop)Trail% }`: "has parentheses",
		`{ $.a = %x\(y% }`:               "has parentheses",
		`{ $.a = %something!% }`:         "may have only letters",
		`{ $.a = %é% }`:                  "may have only letters",
		`{ $.a = %% }`:                   "may have only letters",
		`{ $.a = %[x% }`:                 "is not valid",
		`{ $.a = %b% || $.c = %d% || $.e = %f% }`: "3 regular expressions; use at most 2",
		`%a% %b% %c%`:   "3 regular expressions",
		`[a, b`:         "] is missing",
		`[a, (b]`:       ") is missing",
		`[a, b] c`:      "nothing may follow",
		`access-denied`: "double quotes",

		`{ $.a EXISTS }`:                                "NOT EXISTS is missing",
		`{ $.a IS NOT NULL }`:                           "NOT EXISTS is missing",
		`{ $.a[*].b[*] = "x" }`:                         "2 wildcards; use at most 1",
		`{ $.*.* = "x" }`:                               "2 wildcards; use at most 1",
		`{ $.a[*]=1 && $.b[*]=1 && $.c[*]=1 && $.*=1 }`: "4 wildcards; use at most 3",
		`{ $.foo* = x }`:                                "is missing before",
		`{ $.a = foo-bar }`:                             "put foo-bar in double quotes",
		`{ $.a = arn:aws:iam }`:                         "put arn:aws:iam in double quotes",
		`{ $.a = 0.0.0.0/0 }`:                           "put 0.0.0.0/0 in double quotes",
		`{ $.a = “b” }`:                                 "in double quotes",
		`{ $.a = größe }`:                               "put größe in double quotes",
		`{ $."sc-status" = 5* }`:                        "$.eventName is missing",
		`{ !($.a = b) }`:                                "$.eventName is missing",
		`[ip, status = 4* && bytes > 1000]`:             "status and bytes are two columns",
		`[a b c]`:                                       "a comma between two columns is missing",
		`[]`:                                            "the name of a column",
		`[a,,b]`:                                        "the name of a column",
		`[a, b,]`:                                       "the name of a column",
		`[a=, b]`:                                       "a value is missing",
		`[a=1=2]`:                                       "a comma between two columns",
		`[=x]`:                                          "the name of a column",
		`["ERROR", b]`:                                  "the name of a column",
		`[a=1 &&, b]`:                                   "the name of a column",
		`[a > foo, b]`:                                  "compares numbers",
		`[a=x-y, b]`:                                    "put x-y in double quotes",
		`[(a=1, b]`:                                     ") is missing",
		`[a=1), b]`:                                     "a comma between two columns",
		`"open`:                                         "closing double quote",
	} {
		_, err := pattern.Parse(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s) = %v, want %q", text, err, want)
		}
	}
}

// TestMark: an error names the column, in characters, and marks it.
func TestMark(t *testing.T) {
	for _, row := range []struct {
		text   string
		column int
	}{
		{`{ $.a = b`, 10},
		{`{ $.a = ü }`, 9},
		{`{ $.ü = b }`, 3},
		{`{ $.a = "ü" && $.b > x }`, 22},
		{`{ $.a = %b }`, 9},
		{`{ $.a = "x" } y`, 15},
		{"{ $.a = x\n&& b }", 14},
		{`[a, b c]`, 7},
		{`status = 401`, 8},
		{strings.Repeat("?x ", 60) + `a-b`, 181},
	} {
		_, err := pattern.Parse(row.text)
		var e *pattern.Error
		if !errors.As(err, &e) || e.Column != row.column {
			t.Errorf("Parse(%s) = %v, want column %d", row.text, err, row.column)
			continue
		}
		line, caret, _ := strings.Cut(e.Mark(), "\n")
		at := []rune(line + "$")[len(caret)-1]
		if want := []rune(strings.ReplaceAll(row.text, "\n", " ") + "$")[row.column-1]; at != want || strings.Contains(caret, "\n") || len([]rune(line)) > 121 {
			t.Errorf("the mark of %s is at %q, want %q:\n%s", row.text, at, want, e.Mark())
		}
	}
}

// FuzzParse: whatever is parsed ends, and its canonical form is one.
func FuzzParse(f *testing.F) {
	f.Add(`{ ($.a = %b%) && $.c IS NULL }`, `{"a":"b"}`)
	f.Add(`[a, b="c" && (b != d || b > 5), ...]`, `x c`)
	f.Add(`?x -"y" %z%`, `xyz`)
	f.Add(`{ $.['a.b'][*] = "\"*" || $.* NOT EXISTS }`, `{"a.b":[1]}`)
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := pattern.Parse(text)
		if err != nil {
			var e *pattern.Error
			if !errors.As(err, &e) || e.Column < 1 || e.Column > len([]rune(text))+1 || e.Mark() == "" {
				t.Errorf("Parse(%q) = %v", text, err)
			}
			return
		}
		again, err := pattern.Parse(p.String())
		if err != nil || again.String() != p.String() || again.Matches(message) != p.Matches(message) {
			t.Errorf("%q has the canonical form %q, and that %v, %v", text, p, again, err)
		}
		if pattern.Equal(p, again) != pattern.Yes {
			t.Errorf("%q and its canonical form are not equal", text)
		}
		if why := p.Why(message); (why == "") != p.Matches(message) {
			t.Errorf("%q does not match %q because %q", text, message, why)
		}
	})
}
