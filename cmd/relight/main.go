// Command relight plans and applies the desired state of an AWS account from a
// terminal, replays events, invokes the deployed backfill function, and runs
// the local cloud.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/version"
)

// These are the exit codes other than 0.
const (
	exitError = 1 // something went wrong
	exitToDo  = 2 // the plan restores something or has findings
)

// errToDo ends a command that found something to restore or to report.
var errToDo = errors.New("something needs to be restored or needs action")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), interruptions()...)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// interruptions returns the signals that interrupt a command: Ctrl-C, a request
// to end and, unless nohup keeps it away, the end of the terminal.
func interruptions() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := newRoot()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	switch err := cmd.ExecuteContext(ctx); {
	case err == nil:
		return 0
	case errors.Is(err, errToDo):
		return exitToDo
	case isRunsOn(err):
		fmt.Fprintf(stderr, "relight: %v\n", err)
		return exitError
	case ctx.Err() != nil: // the error says only that the command was interrupted
		fmt.Fprintln(stderr, "relight: interrupted")
		return exitError
	default:
		fmt.Fprintf(stderr, "relight: %v\n", err)
		return exitError
	}
}

func isRunsOn(err error) bool {
	_, ok := errors.AsType[*runsOnError](err)
	return ok
}

// defaultConfig is the configuration file that need not exist.
const defaultConfig = "cdk.json"

// furtherOutputs is the annotation of a command that names its output formats beside
// text and json.
const furtherOutputs = "outputs"

// flags has the flags that every command accepts.
type flags struct {
	config      string
	configGiven bool // by --config
	output      string
	terminal    func(io.Writer) bool // whether a person sees what is written
	every       time.Duration        // between two looks at what runs elsewhere
	now         func() time.Time
}

func (f *flags) json() bool { return f.output == "json" }

func newRoot() *cobra.Command {
	f := &flags{terminal: isTerminal, every: lookEvery, now: time.Now}
	root := &cobra.Command{
		Use:   "relight",
		Short: "Restore the audit controls of an AWS account",
		Long: "relight restores VPC flow logs, the CIS metric filters and alarms, and everything that\n" +
			"they depend on. plan, apply and replay use the configuration of the deployment. Without\n" +
			"a deployment, or with --config, they use that of a file: context.relight in cdk.json.",
		Version:       version.String(),
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			f.configGiven = cmd.Flags().Changed("config")
			formats := append([]string{"text", "json"}, strings.Fields(cmd.Annotations[furtherOutputs])...)
			if !slices.Contains(formats, f.output) {
				return fmt.Errorf("--output %s: use %s", f.output, strings.Join(formats, ", "))
			}
			return nil
		},
	}
	root.SetVersionTemplate("relight {{.Version}}\n")
	root.PersistentFlags().StringVar(&f.config, "config", defaultConfig, "configuration file: cdk.json, or a file that contains only the object context.relight")
	root.PersistentFlags().StringVarP(&f.output, "output", "o", "text", "output format: text or json")
	complete(root, "output", "text", "json")
	root.AddCommand(newPlan(f), newApply(f), newAudit(f), newBackfill(f), newAccept(f), newDrill(f), newPause(f), newResume(f), newHistory(f), newStatus(f), newRemove(f), newReplay(f), newControls(f), newConfig(f), newSCP(f), newSpokeTemplate(f), newProbe(f), newLab(f), newVersion(f))
	return root
}

// complete has the shell complete the values of a flag of a command, which the command has.
func complete(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}
