package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// errNobody is the error of a question where nobody can answer.
var errNobody = errors.New("nobody can be asked, because standard input is not a terminal: --yes does not ask")

// answerable returns an error if a question would find nobody to answer it.
func answerable(cmd *cobra.Command, sure bool) error {
	if in, ok := cmd.InOrStdin().(*os.File); ok && !sure && !term.IsTerminal(int(in.Fd())) {
		return errNobody
	}
	return nil
}

// confirm asks a question unless the person is sure, and returns an error that says no
// unless the answer is yes. It asks nothing where there is no terminal.
func confirm(cmd *cobra.Command, sure bool, question, no string) error {
	if err := answerable(cmd, sure); sure || err != nil {
		return err
	}
	if !asked(cmd, question) {
		return errors.New(no)
	}
	return nil
}

// asked asks a question and reports whether the answer was yes. An interruption
// is no.
func asked(cmd *cobra.Command, question string) bool {
	fmt.Fprint(cmd.ErrOrStderr(), question+" Type yes: ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n') // no answer is no
		answer <- line
	}()
	select {
	case line := <-answer:
		return strings.TrimSpace(line) == "yes" && cmd.Context().Err() == nil
	case <-cmd.Context().Done():
		return false
	}
}
