package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
)

// backfillTimeout is the longest time that a Lambda function may run.
const backfillTimeout = 15 * time.Minute

func newBackfill(f *flags) *cobra.Command {
	var sweep sweepFlags
	var of accountFlags
	var planOnly, watching, here bool
	var account, role string
	cmd := &cobra.Command{
		Use:   "backfill",
		Short: "Make the deployed function sweep the account, or the organisation, now",
		Long: "Make the deployed function sweep the account now, and show what it restored.\n\n" +
			"In the hub of an organisation, it starts the state machine that sweeps every account, shows how\n" +
			"far that is, and then what it came to: a line for each account that is not healthy. An interrupted\n" +
			"command leaves it running; --watch shows it again, by its name, or the last one that began.\n" +
			"--account has the function sweep one account alone, and shows everything that it found and did.\n" +
			"--local sweeps from this terminal instead, and enters the accounts by the role --role.\n\n" +
			"With --plan it changes nothing and ends like relight plan. Exit code 0: everything is\n" +
			"healthy; 2: there is something to restore or a finding; 1: an error.",
		Args: func(cmd *cobra.Command, args []string) error {
			if watching {
				return cobra.MaximumNArgs(1)(cmd, args)
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if watching {
				return watchExecution(cmd, f, args, of.details)
			}
			mode := "repair"
			if planOnly {
				mode = "plan"
			}
			req, err := sweep.request(mode)
			if err != nil {
				return err
			}
			if req.Account = account; req.Validate() != nil {
				return fmt.Errorf("--account: %w", req.Validate())
			}
			acct, err := connect(cmd.Context(), f)
			if err != nil {
				return err
			}
			if !acct.deployed() {
				return acct.notDeployed()
			}
			acct.announceDeployed(cmd.Context(), f, cmd.ErrOrStderr())
			switch hub, err := acct.hub(cmd.Context()); {
			case account != "" && of.given() != "":
				return fmt.Errorf("--account has the function sweep one account, and shows all of it: leave out %s", of.given())
			case account != "":
			case role != "" && !here:
				return errors.New("--role is for --local: the deployed functions enter accounts by the role of the template")
			case hub && here:
				return acct.sweepLocally(cmd, f, req, of, role)
			case here:
				return needsHub("--local", err)
			case hub:
				return acct.sweepOrganization(cmd, f, req, of)
			case of.given() != "":
				return needsHub(of.given(), err)
			case err != nil:
				fmt.Fprintf(cmd.ErrOrStderr(), "relight: the function sweeps this account and those that it lists; whether this is the hub of an organisation cannot be read: %s\n", oneLine(err.Error()))
			}
			result, err := invoke[app.Sweep](cmd, acct, req)
			if err != nil {
				return err
			}
			if err := printSweep(cmd.OutOrStdout(), f, result, acct.aws.Region, true); err != nil {
				return err
			}
			if planOnly {
				return seen(result)
			}
			return unrestored(result)
		},
	}
	sweep.add(cmd)
	of.add(cmd)
	cmd.Flags().StringVar(&account, "account", "", "have the function sweep this account of the organisation alone, and show everything")
	cmd.Flags().BoolVar(&planOnly, "plan", false, "plan only: show what the sweep would restore")
	cmd.Flags().BoolVar(&watching, "watch", false, "start nothing: show the execution of that name, or the last one that began")
	cmd.Flags().BoolVar(&here, "local", false, "in the hub of an organisation: sweep from this terminal, not by the deployed functions")
	cmd.Flags().StringVar(&role, "role", "", "with --local: the role by which to enter the other accounts, such as OrganizationAccountAccessRole")
	cmd.MarkFlagsMutuallyExclusive("local", "account")
	for _, flag := range []string{"plan", "local", "role", "account", "accounts", "ous", "kinds", "regions"} {
		cmd.MarkFlagsMutuallyExclusive("watch", flag)
	}
	return cmd
}

// A runsOnError says that a command ended before what it started.
type runsOnError struct{ said string }

// Error says what runs on, and how to see what it does.
func (e *runsOnError) Error() string { return e.said }

// functionRunsOn says that a command was interrupted while a function runs.
func functionRunsOn(function, region string) error {
	return &runsOnError{fmt.Sprintf("interrupted: function %s runs on to its end; to see what it does, run relight history --since 15m, or aws logs tail /aws/lambda/%s --follow --region %s",
		function, function, region)}
}

// invoke calls the deployed backfill function and waits for its answer. It does
// not repeat a call that breaks off, because the function may still be running.
func invoke[T any](cmd *cobra.Command, acct *account, req app.Request) (T, error) {
	var result T
	payload, err := json.Marshal(req)
	if err != nil {
		return result, fmt.Errorf("encode request: %w", err)
	}
	bar := newProgress(cmd.ErrOrStderr(), "waiting for "+acct.backfillName())
	defer bar.done()
	bar.spin()
	client := lambda.NewFromConfig(acct.aws, func(o *lambda.Options) {
		o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(backfillTimeout)
		o.RetryMaxAttempts = 1
	})
	out, err := client.Invoke(cmd.Context(), &lambda.InvokeInput{FunctionName: aws.String(acct.backfillName()), Payload: payload})
	if err != nil && cmd.Context().Err() != nil {
		return result, functionRunsOn(acct.backfillName(), acct.aws.Region)
	}
	if err != nil {
		return result, fmt.Errorf("invoke %s: %w", acct.backfillName(), err)
	}
	if out.FunctionError != nil {
		var failure struct {
			Message string `json:"errorMessage"`
		}
		_ = json.Unmarshal(out.Payload, &failure) // if this fails, the error below has the whole payload
		if failure.Message == "" {
			failure.Message = string(out.Payload)
		}
		return result, errors.New(acct.backfillName() + ": " + failure.Message)
	}
	if err := json.Unmarshal(out.Payload, &result); err != nil {
		return result, fmt.Errorf("read the answer of %s: %w", acct.backfillName(), err)
	}
	return result, nil
}
