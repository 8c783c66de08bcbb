"""Lengths of tickets without their random part; decides whether two lengths fit equal contents."""

from __future__ import annotations

from dataclasses import dataclass

BLOCK = 16
"""Bytes of an AES block, to which OpenSSL pads the session in a ticket, always by one byte at least."""
SHORTEST, LONGEST = 1, 5
"""Bytes of a 32-bit number in DER."""


def der_size(number: int) -> int:
    """Bytes that a non-negative INTEGER takes in DER, without tag and length."""
    return number.bit_length() // 8 + 1


@dataclass(frozen=True, slots=True)
class TicketLength:
    """Bytes of a ticket. The size of its content in DER varies only with the random ticket_age_add.

    ``age_add`` is how much room, least and most, and (0, 0) where there is none: in TLS 1.2, and where the ticket is
    but the id of a session that stays with the server (construct_stateless_ticket, i2d_SSL_SESSION).
    """

    length: int
    age_add: tuple[int, int] = (0, 0)

    @classmethod
    def tls13(cls, length: int, age_add: int | None) -> TicketLength:
        """Of a TLS 1.3 ticket; ``age_add`` is its ticket_age_add, None if it is unknown."""
        return cls.with_size(length, None if age_add is None else der_size(age_add))

    @classmethod
    def with_size(cls, length: int, size: int | None) -> TicketLength:
        """Of a TLS 1.3 ticket whose ticket_age_add takes ``size`` bytes in DER, None if that is unknown."""
        return cls(length, (SHORTEST, LONGEST) if size is None else (size, size))

    def __str__(self) -> str:
        return str(self.length)

    @property
    def rest(self) -> tuple[int, int]:
        """Least and most bytes of all else in it, up to a constant."""
        return self.length - BLOCK - self.age_add[1], self.length - 1 - self.age_add[0]

    def alike(self, other: TicketLength) -> bool:
        """Whether both can have equal contents except for the random number."""
        if self.length == other.length or (0, 0) in {self.age_add, other.age_add}:
            return self.length == other.length
        return self.rest[0] <= other.rest[1] and other.rest[0] <= self.rest[1]
