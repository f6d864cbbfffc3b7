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
	var planOnly bool
	var account string
	cmd := &cobra.Command{
		Use:   "backfill",
		Short: "Make the deployed function sweep the account now",
		Long: "Make the deployed function sweep the account now, and show what it restored. In the hub\n" +
			"of an organisation, it sweeps the accounts that organization.accounts lists, too: of each\n" +
			"there is a line, and --account shows the details of one.\n\n" +
			"With --plan it changes nothing and ends like relight plan. Exit code 0: everything is\n" +
			"healthy; 2: there is something to restore or a finding; 1: an error.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
	cmd.Flags().StringVar(&account, "account", "", "sweep this guarded account of the organisation alone")
	cmd.Flags().BoolVar(&planOnly, "plan", false, "plan only: show what the sweep would restore")
	return cmd
}

// A runsOnError says that a command was interrupted while a function runs.
type runsOnError struct{ function, region string }

// Error says how to see what the function does.
func (e *runsOnError) Error() string {
	return fmt.Sprintf("interrupted: function %s runs on to its end; to see what it does, run relight history --since 15m, or aws logs tail /aws/lambda/%s --follow --region %s",
		e.function, e.function, e.region)
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
		return result, &runsOnError{acct.backfillName(), acct.aws.Region}
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
