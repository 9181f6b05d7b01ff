package notification

import (
	"fmt"

	"tandem/services/domain/event"
)

// Languages that a rider can choose.
const (
	spanish = "es"
	english = "en"
)

// kinds maps each event type to the kind that the inbox shows.
func kinds() map[string]string {
	return map[string]string{
		event.TypeRideAssigned: "assigned", event.TypeRideArrived: "arrived", event.TypeRidePickedUp: "picked_up",
		event.TypeRideCompleted: "completed", event.TypeRideCancelled: "cancelled",
		event.TypeRideUnfulfilled: "unfulfilled", event.TypeRideRequeued: "requeued",
	}
}

// text is what the rider reads.
func text(language string, n notice) string {
	if language == spanish {
		return textES(n)
	}
	return textEN(n)
}

func textEN(n notice) string {
	switch n.Kind {
	case "assigned":
		return fmt.Sprintf("Your driver is on the way%s.", plate(", plate ", n))
	case "arrived":
		return fmt.Sprintf("Your driver is here%s.", plate(", plate ", n))
	case "picked_up":
		return "Your trip has begun."
	case "completed":
		return "You have arrived. Thank you for riding."
	case "cancelled":
		return "Your ride was cancelled" + reason(n) + "."
	case "unfulfilled":
		return "We found no driver for your ride" + reason(n) + "."
	default:
		return "Your driver cannot come. We are looking for another one."
	}
}

func textES(n notice) string {
	switch n.Kind {
	case "assigned":
		return fmt.Sprintf("Tu conductor está en camino%s.", plate(", matrícula ", n))
	case "arrived":
		return fmt.Sprintf("Tu conductor llegó%s.", plate(", matrícula ", n))
	case "picked_up":
		return "Tu viaje comenzó."
	case "completed":
		return "Llegaste. Gracias por viajar."
	case "cancelled":
		return "Tu viaje fue cancelado" + reason(n) + "."
	case "unfulfilled":
		return "No encontramos conductor para tu viaje" + reason(n) + "."
	default:
		return "Tu conductor no puede ir. Buscamos otro."
	}
}

func plate(before string, n notice) string {
	if n.Plate == "" {
		return ""
	}
	return before + n.Plate
}

func reason(n notice) string {
	if n.Reason == "" {
		return ""
	}
	return " (" + n.Reason + ")"
}
