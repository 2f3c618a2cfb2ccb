package client_test

import (
	"context"
	"fmt"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/client"
)

// Who did what, and how to take it back.
func ExampleClient_RevertUser() {
	url, token, end := exampleNode() // yours is already there
	defer end()
	ctx := context.Background()
	c, err := client.New(client.Config{URL: url, Token: token})
	if err != nil {
		panic(err)
	}
	image, err := c.Upload(ctx, "street.png", picture())
	if err != nil {
		panic(err)
	}
	car, err := c.Draw(ctx, image.ID, easel.Draft{Label: "car", X: 0.1, Y: 0.1, Width: 0.5, Height: 0.25})
	if err != nil {
		panic(err)
	}
	mistake := "bicycle"
	if _, err := c.Change(ctx, image.ID, car.ID, easel.Patch{Label: &mistake}, car.Rev); err != nil {
		panic(err)
	}
	for b, err := range c.Batches(ctx, image.ID, 0) {
		if err != nil {
			panic(err)
		}
		fmt.Println(b.Ver, b.By, b.Ops[0].Annotation.Label)
	}
	if _, err := c.RevertUser(ctx, image.ID, "ada", client.Moment{Version: 1}); err != nil {
		panic(err)
	}
	car, err = c.Annotation(ctx, image.ID, car.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println("again a", car.Label)
	// Output:
	// 1 ada car
	// 2 ada bicycle
	// again a car
}
