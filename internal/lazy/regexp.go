// Package lazy has regular expressions that are compiled when they are first used. A
// function uses few of them in one invocation, and compiling them all would be a third of
// the time that it takes to start.
package lazy

import (
	"regexp"
	"sync"
)

// A Regexp is a regular expression; its methods are those of regexp.Regexp. It is safe for
// concurrent use.
type Regexp struct{ compiled func() *regexp.Regexp }

// Compile returns the regular expression of a pattern. The first use panics if the pattern
// is not valid, so a test compiles every pattern of the repository.
func Compile(pattern string) Regexp {
	return Regexp{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })}
}

// MatchString reports whether a text contains a match.
func (r Regexp) MatchString(text string) bool { return r.compiled().MatchString(text) }

// FindString returns the first match, or "".
func (r Regexp) FindString(text string) string { return r.compiled().FindString(text) }

// FindAllString returns the first n matches, or all if n is negative.
func (r Regexp) FindAllString(text string, n int) []string {
	return r.compiled().FindAllString(text, n)
}

// FindStringSubmatch returns the first match and those of its groups.
func (r Regexp) FindStringSubmatch(text string) []string {
	return r.compiled().FindStringSubmatch(text)
}

// FindAllStringSubmatch returns the first n matches with those of their groups, or all if
// n is negative.
func (r Regexp) FindAllStringSubmatch(text string, n int) [][]string {
	return r.compiled().FindAllStringSubmatch(text, n)
}

// ReplaceAllString replaces the matches; $1 in the replacement is what the first group
// matches.
func (r Regexp) ReplaceAllString(text, replacement string) string {
	return r.compiled().ReplaceAllString(text, replacement)
}

// ReplaceAllStringFunc replaces each match by what a function returns for it.
func (r Regexp) ReplaceAllStringFunc(text string, replace func(string) string) string {
	return r.compiled().ReplaceAllStringFunc(text, replace)
}
